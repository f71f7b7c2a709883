/* Writing, beyond the vectors: bodies in place, tables, header fields, the building functions. */
#include "tap.h"
#include "wire_feed.h"

static uint8_t scratch[1 << 12];

/* ---- bodies written in place ---- */

static void open_and_close(enum wire_encoding enc, bool more, const char *error)
{
    struct wire_msg m, got;
    struct writer w;
    struct feed f;
    uint8_t packed[16];

    writer_init(&w, packed, sizeof packed);
    wire_header_pack(&w, STR("A"), STR("b"));
    wire_http_response(&m, STR("a"), 200, (struct wire_headers){ { packed, w.len } }, false);
    writer_init(&w, scratch, sizeof scratch);
    wire_open(&w, enc, &m);
    if (enc == WIRE_TLV) {
        writer_text(&w, "123456");
        wire_patch(scratch + w.len - 6, 6, more);
    } else {
        writer_text(&w, "MTIzNDU2");
    }
    wire_close(&w, enc, more, str_of(error));
    feed_all(&f, enc, scratch, w.len, 0, 5, 64);
    got = feed_msg(&f);
    is_int(f.err, 0, "in place, encoding %d, more %d, error '%s': read", (int)enc, more, error);
    is_mem(got.body.p, got.body.n, "123456", 6, "in place: body");
    is_int(got.more, more, "in place: more");
    ok(got.status == 200 && str_eq(got.id, STR("a")), "in place: fields");
    ok(feed_same_headers(got.headers.packed, m.headers.packed), "in place: headers");
    ok(str_eq(got.error, enc == WIRE_TLV ? STR("") : str_of(error)), "in place: error");
    feed_free(&f);
}

/* A body of 2^30 - 1 bytes is what the length field of wire_patch can say. */
static void patch_bounds(void)
{
    static const uint8_t zero[] = { 10, 1, 0, 9, 0x80, 0, 0, 0 };
    static const uint8_t most[] = { 10, 1, 1, 9, 0xbf, 0xff, 0xff, 0xff };
    struct wire_msg m;
    struct writer w;

    wire_http_body(&m, STR("a"), false);
    writer_init(&w, scratch, sizeof scratch);
    wire_open(&w, WIRE_TLV, &m);
    wire_patch(scratch + w.len, 0, false);
    is_mem(scratch + w.len - 8, 8, zero, 8, "patched: empty and last");
    wire_patch(scratch + w.len, (1u << 30) - 1, true);
    is_mem(scratch + w.len - 8, 8, most, 8, "patched: the longest, and more");
}

/* ---- tables ---- */

static void tables(void)
{
    struct str any = STR("id");
    size_t bad = 0;
    uint32_t required;
    uint32_t pairs[32] = { 0 };

    for (const struct wire_field *f = wire_fields; f < WIRE_FIELDS_END; f++) {
        bad += f->tag == 0 || f->tag >= WIRE_TAGS || (f->required & ~f->types);
        bad += (pairs[f->tag] & f->types) != 0;
        pairs[f->tag] |= f->types;
    }
    is_int(bad, 0, "a tag means one field in a message");
    is_int(wire_fields[WIRE_FIELDS - 2].tag, WIRE_MORE, "more is written last but one");
    is_int(wire_fields[WIRE_FIELDS - 1].tag, WIRE_BODY, "body is written last");
    for (int type = 0; type < 300; type++) {
        const char *name = wire_type_name((enum wire_type)type);
        if (name)
            is_int(wire_type_by_name(str_of(name)), type, "%s", name);
    }
    is_int(wire_type_by_name(STR("")), WIRE_NONE, "no name");
    ok(wire_type_name(WIRE_NONE) == NULL, "WIRE_NONE has no name");
    ok(!wire_field_by_tag(WIRE_HTTP_BODY, WIRE_TOKEN), "a token is foreign to HttpBody");
    ok(!wire_field_by_name(WIRE_ERROR, any), "Error has no id");
    ok(wire_field_by_tag(WIRE_ERROR, WIRE_ID) == wire_field_by_name(WIRE_ERROR, STR("request_id")),
       "but a request_id");
    is_str(texts_at(wire_names, WIRE_FIELDS - 1), "body", "as many names as fields");
    ok(wire_field_by_name(WIRE_NONE, any) == wire_fields, "any message's id");
    is_int(wire_type_fields(WIRE_WINDOW, &required), WIRE_HAS(WIRE_ID) | WIRE_HAS(WIRE_CREDIT),
           "Window's fields");
    is_int(wire_type_fields(WIRE_HTTP_REQUEST, &required) & WIRE_HAS(WIRE_HEADER),
           WIRE_HAS(WIRE_HEADER), "a request may have headers");
    is_int(required, WIRE_HAS(WIRE_ID) | WIRE_HAS(WIRE_METHOD) | WIRE_HAS(WIRE_URL),
           "and must have these");
    ok(wire_type_is_plain(WIRE_STATS) && wire_type_is_plain(WIRE_AUTH), "plain messages");
    ok(!wire_type_is_plain(WIRE_HTTP_BODY) && !wire_type_is_plain(WIRE_NONE), "others");
}

static void headers(void)
{
    static uint8_t longest[UINT16_MAX + 1];
    struct str name, value, rest;
    struct writer w;

    writer_init(&w, scratch, sizeof scratch);
    ok(!wire_header_pack(&w, (struct str){ longest, 256 }, STR("")), "a name too long");
    ok(!wire_header_pack(&w, STR("a"), (struct str){ longest, 65536 }), "a value too long");
    is_int(w.len, 0, "nothing written of them");
    ok(wire_header_pack(&w, STR("Name"), STR("v")), "a field");
    ok(wire_header_pack(&w, STR(""), STR("")), "an empty field");
    is_mem(scratch, w.len, "\4\0\1namev\0\0", 11, "packed, its name in lower case");
    rest = (struct str){ scratch, w.len };
    ok(wire_header_next(&rest, &name, &value), "first");
    ok(str_eq(name, STR("name")) && str_eq(value, STR("v")), "is what was packed");
    ok(wire_header_next(&rest, &name, &value) && name.n == 0 && value.n == 0, "second");
    ok(!wire_header_next(&rest, &name, &value), "no more");
    for (size_t n = 1; n < 8; n++) {
        rest = (struct str){ scratch, n };
        ok(!wire_header_next(&rest, &name, &value), "cut off at %zu", n);
    }
}

/* Fields that stand apart are grouped in JSON, and keep their order in TLV. */
static void grouping(void)
{
    static const char json[] =
        "\"headers\":{\"a\":[\"1\",\"3\",\"5\"],\"b\":\"2\",\"c\":[\"4\",\"6\"]}";
    static const char *const fields[] = { "a", "1", "B", "2", "A", "3",
                                          "c", "4", "a", "5", "C", "6" };
    struct writer packed, out;
    struct wire_msg m;

    writer_init(&packed, scratch, 1000);
    for (size_t i = 0; i < 12; i += 2)
        wire_header_pack(&packed, str_of(fields[i]), str_of(fields[i + 1]));
    wire_http_response(&m, STR("x"), 200, (struct wire_headers){ { scratch, packed.len } }, false);
    writer_init(&out, scratch + 1000, 1000);
    wire_put(&out, WIRE_JSON, &m);
    scratch[1000 + out.len] = 0;
    ok(strstr((char *)scratch + 1000, json), "grouped at the first occurrence, lower case");
    writer_init(&out, scratch + 1000, 1000);
    wire_put(&out, WIRE_TLV, &m);
    is_mem(scratch + 1000 + out.len - 30, 30,
           "\10\3\1a1\10\3\1b2\10\3\1a3\10\3\1c4\10\3\1a5\10\3\1c6", 30, "TLV: order kept");
}

static void many_names(void)
{
    static uint8_t packed[4096];
    struct writer w;
    struct wire_msg m, got;
    struct feed f;

    writer_init(&w, packed, sizeof packed);
    for (unsigned i = 0; i < 300; i++) {
        const uint8_t name[] = { (uint8_t)('a' + i / 26), (uint8_t)('a' + i % 26) };
        wire_header_pack(&w, (struct str){ name, 2 }, STR("v"));
    }
    wire_header_pack(&w, STR("zz"), STR("1"));
    wire_header_pack(&w, STR("ZZ"), STR("2"));
    wire_http_response(&m, STR("x"), 200, (struct wire_headers){ { packed, w.len } }, false);
    writer_init(&w, scratch, sizeof scratch);
    wire_put(&w, WIRE_JSON, &m);
    feed_all(&f, WIRE_JSON, scratch, w.len, 0, w.len, sizeof packed);
    got = feed_msg(&f);
    ok(f.err == 0 && feed_same(&got, &m), "300 names once, one twice");
    scratch[w.len] = 0;
    ok(strstr((char *)scratch, ",\"zz\":[\"1\",\"2\"]}"), "only that one is an array");
    ok(strchr((char *)scratch, '[') == strrchr((char *)scratch, '['), "no other is");
    feed_free(&f);
}

static void builders(void)
{
    struct wire_headers none = { { NULL, 0 } };
    struct wire_msg m;

    wire_auth(&m, STR("t"), STR(""), 0, 0);
    is_int(m.has, WIRE_HAS(WIRE_TOKEN), "Auth: the token alone");
    wire_auth_success(&m, STR("s"), STR(""), 1, 0);
    is_int(m.has, WIRE_HAS(WIRE_SESSION_ID) | WIRE_HAS(WIRE_WINDOW_SIZE), "AuthSuccess: no url");
    wire_auth_error(&m, STR("no"), 0);
    is_int(m.has, WIRE_HAS(WIRE_ERROR_TEXT), "AuthError: no retry_after");
    wire_http_request(&m, STR("i"), STR("GET"), STR("/"), none, true);
    ok((m.has & WIRE_HAS(WIRE_MORE)) && (m.has & WIRE_HAS(WIRE_HEADER)), "HttpRequest");
    wire_http_response(&m, STR("i"), 204, none, false);
    ok(!(m.has & WIRE_HAS(WIRE_MORE)) && m.status == 204, "HttpResponse");
    wire_http_body(&m, STR("i"), true);
    is_int(m.has, WIRE_HAS(WIRE_ID) | WIRE_HAS(WIRE_MORE), "HttpBody");
    wire_pong(&m, 5);
    ok(m.type == WIRE_PONG && m.timestamp == 5, "Pong");
    wire_ping(&m, 5);
    ok(m.type == WIRE_PING && m.timestamp == 5, "Ping");
    wire_error(&m, STR(""), STR("x"), 500);
    ok(!(m.has & WIRE_HAS(WIRE_ID)) && m.code == 500, "Error about the session");
    wire_error(&m, STR("i"), STR("x"), 500);
    ok(m.has & WIRE_HAS(WIRE_ID), "Error about a stream");
    wire_window(&m, STR("i"), 9);
    ok(m.has == (WIRE_HAS(WIRE_ID) | WIRE_HAS(WIRE_CREDIT)) && m.credit == 9, "Window");
    wire_goaway(&m, 0, STR(""));
    is_int(m.has, WIRE_HAS(WIRE_DELAY_MS), "Goaway: a delay of 0 is told");
    m = (struct wire_msg){ .rtt_ms = 7 };
    wire_stats(&m);
    ok(m.type == WIRE_STATS && m.rtt_ms == 7 && (m.has & WIRE_HAS(WIRE_RTT_MS)), "Stats");
}

int main(void)
{
    for (int more = 0; more <= 1; more++) {
        open_and_close(WIRE_TLV, more, "");
        open_and_close(WIRE_JSON, more, "");
        open_and_close(WIRE_JSON, more, "the \"local\" server left");
    }
    patch_bounds();
    tables();
    headers();
    grouping();
    many_names();
    builders();
    return done_testing();
}
