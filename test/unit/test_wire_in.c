/* Reading, beyond the vectors: bodies that flow, small arenas, limits. */
#include "err.h"
#include "limits.h"
#include "../../src/codec/varint.h"
#include "wire_vectors.h"

static uint8_t scratch[1 << 18];

/* JSON with ' for ", in a buffer that may be written. */
static struct bytes text(const char *json)
{
    size_t n = strlen(json);

    for (size_t i = 0; i < n; i++)
        scratch[i] = (uint8_t)(json[i] == '\'' ? '"' : json[i]);
    return (struct bytes){ scratch, n };
}

/* ---- bodies flow ---- */

static void tlv_body_is_not_copied(void)
{
    uint8_t in[] = { 16, WIRE_ID, 1, 'a', WIRE_BODY, 5, '1', '2', '3', '4', '5' };
    uint8_t arena[1];
    struct wire_in w;
    enum wire_event ev;

    wire_in_begin(&w, WIRE_TLV, arena, 0);
    is_int(wire_in_feed(&w, in, 9, &ev), 6, "TLV: the head ends where the body begins");
    is_int(ev, WIRE_EV_HEAD, "TLV: head told");
    is_int(wire_in_feed(&w, in + 6, 3, &ev), 3, "TLV: the part of the body that is there");
    ok(ev == WIRE_EV_BODY && w.body.p == in + 6 && w.body.n == 3, "TLV: told where it lies");
    is_int(wire_in_feed(&w, in + 9, 2, &ev), 2, "TLV: the rest");
    ok(ev == WIRE_EV_BODY && w.body.p == in + 9 && w.body.n == 2, "TLV: told where it lies");
    is_int(wire_in_feed(&w, in, 0, &ev), 0, "TLV: no input");
    is_int(ev, WIRE_EV_MORE, "TLV: nothing to tell");
    ok(wire_in_finish(&w, &ev) == 0 && ev == WIRE_EV_END, "TLV: end");
}

static void json_body_is_decoded_in_place(void)
{
    struct bytes b = text("{'type':'HttpBody','data':{'id':'a','body' : 'MTIz");
    uint8_t arena[1];
    struct wire_in w;
    enum wire_event ev;
    int head = (int)b.n - 5;

    wire_in_begin(&w, WIRE_JSON, arena, 0);
    is_int(wire_in_feed(&w, b.p, b.n - 5, &ev), head, "JSON: no body byte yet");
    is_int(ev, WIRE_EV_MORE, "JSON: a null could follow");
    is_int(wire_in_feed(&w, b.p + head, 1, &ev), 0, "JSON: nothing consumed");
    is_int(ev, WIRE_EV_HEAD, "JSON: the head is told at the opening quote");
    is_int(wire_in_feed(&w, b.p + head, 5, &ev), 5, "JSON: body text");
    ok(ev == WIRE_EV_BODY && w.body.p == b.p + head, "JSON: decoded over the input");
    is_mem(w.body.p, w.body.n, "123", 3, "JSON: decoded");
}

/* A number is known to end only when the next byte comes: it has no room in that input. */
static void json_byte_array_split(void)
{
    uint8_t one[] = "{\"type\":\"HttpBody\",\"data\":{\"id\":\"a\",\"body\":[65", two[] = ",66]}}";
    uint8_t arena[1];
    struct wire_in w;
    enum wire_event ev;

    wire_in_begin(&w, WIRE_JSON, arena, 0);
    wire_in_feed(&w, one, sizeof one - 1, &ev);
    is_int(ev, WIRE_EV_HEAD, "bytes: head");
    wire_in_feed(&w, one + sizeof one - 4, 3, &ev);
    is_int(ev, WIRE_EV_MORE, "bytes: 65 may become 650");
    is_int(wire_in_feed(&w, two, sizeof two - 1, &ev), 0, "bytes: told before the next");
    ok(ev == WIRE_EV_BODY && w.body.n == 1 && w.body.p[0] == 65, "bytes: 65");
    is_mem(two, sizeof two, ",66]}}", 7, "bytes: the next input is untouched");
    is_int(wire_in_feed(&w, two, sizeof two - 1, &ev), 4, "bytes: up to the end of the array");
    ok(ev == WIRE_EV_BODY && w.body.n == 1 && w.body.p[0] == 66, "bytes: 66");
}

/* `more` and `error` may follow a body; the head was told without them. */
static void json_members_behind_the_body(void)
{
    struct bytes b = text("{'type':'HttpResponse','data':{'id':'a','status':200,'headers':"
                          "{},'body':'MTIz','more':true,'error':'broken off'}}");
    struct feed f;

    feed_all(&f, WIRE_JSON, b.p, b.n, 0, 7, 64);
    is_int(f.err, 0, "behind the body: read");
    ok(f.head_at < b.n - 40, "behind the body: head told before");
    is_int(f.in.msg.more, 1, "behind the body: more");
    is_mem(f.in.msg.error.p, f.in.msg.error.n, "broken off", 10, "behind the body: error");
    feed_free(&f);
    feed_all(&f, WIRE_JSON, b.p, b.n, 0, b.n, 9);
    ok(f.err == 0 && f.in.too_big == 0, "behind the body: an error that does not fit");
    ok((f.in.msg.has & WIRE_HAS(WIRE_ERROR_TEXT)) && f.in.msg.error.n == 0,
       "behind the body: is told without its text");
    feed_free(&f);
}

static void json_body_waits(void)
{
    struct bytes b = text("{'type':'HttpRequest','data':{'body':'MTIz','id':'a',"
                          "'method':'PUT','url':'/'}}");
    struct feed f;

    feed_all(&f, WIRE_JSON, b.p, b.n, 0, 3, 64);
    is_int(f.err, 0, "body first: read");
    is_int(f.head_at, b.n, "body first: the head is told at the end");
    is_int(f.pieces, 1, "body first: in one piece");
    is_mem(f.body, f.body_len, "123", 3, "body first: decoded");
    ok(f.in.body.p >= f.arena && f.in.body.p < f.arena + 64, "body first: lies in the arena");
    feed_free(&f);
}

/* ---- what does not fit ---- */

static void expect_big(const char *what, enum wire_encoding enc, struct bytes b, size_t cap,
                       uint32_t big)
{
    for (size_t step = 1; step <= b.n; step += b.n - 1) {
        struct feed f;

        feed_all(&f, enc, b.p, b.n, 0, step, cap);
        is_int(f.err, 0, "%s: the session lives, steps of %zu", what, step);
        is_int(f.in.too_big, big, "%s: what did not fit", what);
        is_int(f.in.msg.has & WIRE_HAS(WIRE_BODY), big & WIRE_HAS(WIRE_BODY),
               "%s: is it the body?", what);
        ok(f.in.msg.type == WIRE_HTTP_REQUEST && str_eq(f.in.msg.id, STR("the-id")),
           "%s: type and id are known", what);
        is_int(f.body_len, 0, "%s: no body", what);
        feed_free(&f);
    }
}

static void json_too_big(void)
{
    expect_big("JSON body first", WIRE_JSON,
               text("{'data':{'body':'QUJDQUJDQUJDQUJD','url':'/a','headers':{'a':'b'},"
                    "'method':'PUT','id':'the-id'},'type':'HttpRequest'}"),
               11, WIRE_HAS(WIRE_BODY));
    expect_big("JSON headers", WIRE_JSON,
               text("{'type':'HttpRequest','data':{'id':'the-id','method':'PUT','url':'/',"
                    "'headers':{'a':'0123456789','b':['0123456789','0123456789']},"
                    "'body':'QUJD','more':true}}"),
               16, WIRE_HAS(WIRE_HEADER));
    expect_big("JSON url", WIRE_JSON,
               text("{'type':'HttpRequest','data':{'url':'/0123456789','method':'PUT',"
                    "'headers':{},'body':[1,2],'id':'the-id'}}"),
               8, WIRE_HAS(WIRE_URL));
    expect_big("JSON method, url, headers", WIRE_JSON,
               text("{'type':'HttpRequest','data':{'url':'/0123456789','method':'PUT',"
                    "'headers':{'a':''},'id':'the-id'}}"),
               2, WIRE_HAS(WIRE_URL) | WIRE_HAS(WIRE_METHOD) | WIRE_HAS(WIRE_HEADER));
}

static void tlv_too_big(void)
{
    char url[] = "04 050c2f30313233343536373839 31 0703 505554 01 06 7468652d6964 09 03 414243";
    char header[] = "04 0703 505554 080c 01 61 30313233343536373839 05012f 01067468652d6964"
                    "0903414243";
    struct bytes b = { scratch, hex_decode(url, scratch) };

    expect_big("TLV url", WIRE_TLV, b, 11, WIRE_HAS(WIRE_URL));
    b.n = hex_decode(header, scratch);
    expect_big("TLV header", WIRE_TLV, b, 16, WIRE_HAS(WIRE_HEADER));
}

/* Arenas of every size: all or nothing of each field, and never a byte beyond (guard page). */
static void every_arena(const char *name, enum wire_encoding enc, size_t least)
{
    struct bytes b = vector_message(name, enc), copy = { malloc(b.n), b.n };
    size_t fits = SIZE_MAX, wrong = 0;

    for (size_t cap = 200; cap > 0; cap--) {
        uint8_t *arena = tap_guard_end(cap);
        struct wire_in w;
        enum wire_event ev = WIRE_EV_MORE;
        size_t used = 0;

        memcpy(copy.p, b.p, b.n);
        wire_in_begin(&w, enc, arena, cap);
        for (int r = 0; used < b.n && r >= 0; used += (size_t)r)
            r = wire_in_feed(&w, copy.p + used, b.n - used, &ev);
        while (ev != WIRE_EV_END && wrong == 0)
            wrong += wire_in_finish(&w, &ev) != 0;
        if (!w.too_big)
            fits = cap;
        tap_guard_free(arena, cap);
    }
    is_int(wrong, 0, "%s: read with any arena", name);
    is_int(fits, least, "%s: needs %zu bytes", name, least);
    free(b.p);
    free(copy.p);
}

/* ---- limits ---- */

static int header_fits(enum wire_encoding enc, size_t name_len, size_t value_len)
{
    size_t n = 0, total = 1 + name_len + value_len;
    struct writer w;
    struct feed f;
    int big;

    writer_init(&w, scratch, sizeof scratch);
    if (enc == WIRE_JSON) {
        writer_text(&w, "{\"type\":\"HttpResponse\",\"data\":{\"id\":\"a\",\"status\":200,");
        writer_text(&w, "\"headers\":{\"");
        for (n = 0; n < name_len; n++)
            writer_u8(&w, 'n');
        writer_text(&w, "\":[\"");
        for (n = 0; n < value_len; n++)
            writer_u8(&w, 'v');
        writer_text(&w, "\",\"second\"]}}}");
    } else {
        const uint8_t head[] = { WIRE_HTTP_RESPONSE, WIRE_ID, 1, 'a', WIRE_STATUS, 1, 200,
                                 WIRE_HEADER };
        writer_bytes(&w, head, sizeof head);
        varint_write(&w, total);
        writer_u8(&w, (uint8_t)name_len);
        for (n = 1; n < total; n++)
            writer_u8(&w, 'x');
    }
    feed_all(&f, enc, scratch, w.len, 0, 1000, 1 << 18);
    MUST(f.err == 0);
    big = f.in.too_big != 0;
    feed_free(&f);
    return !big;
}

static void limits(void)
{
    is_int(header_fits(WIRE_JSON, 255, 10), 1, "JSON: a name of 255 bytes");
    is_int(header_fits(WIRE_JSON, 256, 10), 0, "JSON: a name of 256 bytes");
    is_int(header_fits(WIRE_JSON, 0, 0), 1, "JSON: an empty name and value");
    is_int(header_fits(WIRE_JSON, 1, 65535), 1, "JSON: a value of 65535 bytes");
    is_int(header_fits(WIRE_JSON, 1, 65536), 0, "JSON: a value of 65536 bytes");
    is_int(header_fits(WIRE_TLV, 255, 65535), 1, "TLV: a name of 255, a value of 65535 bytes");
    is_int(header_fits(WIRE_TLV, 255, 65536), 0, "TLV: a value of 65536 bytes");
    is_int(header_fits(WIRE_TLV, 0, 0), 1, "TLV: an empty name and value");
}

/* A head of HTTP_HEAD_MAX bytes, of the smallest fields there are, and the longest id. */
static void largest_head_fits(void)
{
    struct writer packed, in;
    struct wire_msg m;
    uint8_t id[ID_MAX];
    struct feed f;
    size_t http = strlen("GET / HTTP/1.1\r\n\r\n");

    memset(id, 'i', sizeof id);
    writer_init(&packed, scratch, HTTP_HEAD_MAX);
    for (; http + strlen("a:\r\n") <= HTTP_HEAD_MAX; http += strlen("a:\r\n"))
        MUST(wire_header_pack(&packed, STR("a"), STR("")));
    wire_http_request(&m, (struct str){ id, sizeof id }, STR("GET"), STR("/"),
                      (struct wire_headers){ { scratch, packed.len } }, false);
    for (enum wire_encoding enc = WIRE_TLV; enc <= WIRE_JSON; enc++) {
        uint8_t *out = scratch + HTTP_HEAD_MAX;
        writer_init(&in, out, sizeof scratch - HTTP_HEAD_MAX);
        wire_put(&in, enc, &m);
        feed_all(&f, enc, out, in.len, 0, 100, WIRE_HEAD_MAX);
        ok(f.err == 0 && !f.in.too_big && feed_same(&f.in.msg, &m),
           "the largest head fits WIRE_HEAD_MAX in encoding %d", (int)enc);
        feed_free(&f);
    }
}

static void depth(void)
{
    struct writer w;
    struct feed f;

    for (size_t open = JSON_DEPTH_MAX - 2; open <= JSON_DEPTH_MAX - 1; open++) {
        writer_init(&w, scratch, sizeof scratch);
        writer_text(&w, "{\"type\":\"Ping\",\"data\":{\"x\":");
        for (size_t i = 0; i < open; i++)
            writer_u8(&w, '[');
        for (size_t i = 0; i < open; i++)
            writer_u8(&w, ']');
        writer_text(&w, "}}");
        feed_all(&f, WIRE_JSON, scratch, w.len, 0, w.len, 0);
        is_int(f.err, open + 2 <= JSON_DEPTH_MAX ? 0 : ERR_JSON_DEPTH, "%zu levels", open + 2);
        feed_free(&f);
    }
}

int main(void)
{
    tlv_body_is_not_copied();
    json_body_is_decoded_in_place();
    json_byte_array_split();
    json_members_behind_the_body();
    json_body_waits();
    json_too_big();
    tlv_too_big();
    /* method, url, and of each header 3 bytes more than its text. */
    every_arena("http-request", WIRE_TLV, 3 + 13 + 26 + 12);
    every_arena("http-request", WIRE_JSON, 3 + 13 + 26 + 12);
    limits();
    largest_head_fits();
    depth();
    return done_testing();
}
