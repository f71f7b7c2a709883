/* Heads to messages: what stays, what goes, in place. */
#include "err.h"
#include "core/relay.h"
#include "tap.h"

static char list[70000];

/* "name=value;" of each packed field. */
static const char *listed(struct wire_headers h)
{
    struct str rest = h.packed;
    struct str name;
    struct str value;
    size_t n = 0;

    list[0] = '\0';
    while (wire_header_next(&rest, &name, &value))
        n += (size_t)snprintf(list + n, sizeof list - n, "%.*s=%.*s;", (int)name.n,
                              (const char *)name.p, (int)value.n, (const char *)value.p);
    if (rest.n > 0)
        snprintf(list + n, sizeof list - n, "... and %zu bytes that are no field", rest.n);
    return list;
}

/* Packs the fields of a response in a buffer whose end is guarded, and looks that nothing but the
 * lines, and three bytes before them, was written over. */
static const char *packed(const char *fields, bool upgrade, const char *const *drop, int *err)
{
    static const char start[] = "HTTP/1.1 200 OK\r\n";
    size_t at = sizeof start - 1;
    size_t n = at + strlen(fields) + 2;
    uint8_t *buffer = tap_guard_end(n);
    struct http_head head;
    struct wire_headers out = { { 0 } };

    memcpy(buffer, start, at);
    memcpy(buffer + at, fields, n - at - 2);
    memcpy(buffer + n - 2, "\r\n", 2);
    if (http_response_parse(buffer, n, 0, &head) != (int)n) {
        printf("Bail out! not a head: %s\n", fields);
        exit(1);
    }
    *err = relay_pack(&head, buffer + at, upgrade, drop, &out);
    listed(out);
    if (memcmp(buffer, start, at - 3) != 0 || memcmp(buffer + n - 2, "\r\n", 2) != 0)
        snprintf(list, sizeof list, "bytes around the fields are lost");
    tap_guard_free(buffer, n);
    return list;
}

static void cases(void)
{
    static const char *const drop[] = { "server", "x-a", NULL };
    static const char *const prefixes[] = { "y-", NULL };
    static const struct {
        const char *fields;
        bool upgrade;
        const char *expected;
    } table[] = {
        { "", false, "" },
        { "a:b\r\n", false, "a=b;" },
        { "a:\r\nb:\r\nc:\r\n", false, "a=;b=;c=;" },
        { "a:b\r\nc:d\r\ne:f\r\ng:h\r\n", false, "a=b;c=d;e=f;g=h;" },
        { "Set-Cookie: a=1\r\nset-cookie:  b=2 \t\r\n", false, "set-cookie=a=1;set-cookie=b=2;" },
        { "Content-Length: 5\r\n", false, "content-length=5;" },
        { "connection: close\r\na:b\r\n", false, "a=b;" },
        { "a:b\r\nConnection: x-hop, Y\r\nx-hop: 1\r\ny: 2\r\nz: 3\r\n", false, "a=b;z=3;" },
        { "x-hop: 1\r\nconnection: x-hop\r\n", false, "" },
        { "x-hop: 1\r\ny: 2\r\nconnection: x-hop\r\nconnection:,,Y ,\r\nq:r\r\n", false, "q=r;" },
        { "keep-alive: timeout=5\r\nproxy-connection: x\r\nte: trailers\r\ntrailer: a\r\n"
          "transfer-encoding: chunked\r\nupgrade: h2c\r\nKEEP-ALIVE: 1\r\n", false, "" },
        { "te-x: 1\r\nupgrade2: 2\r\nconnectio: 3\r\n", false, "te-x=1;upgrade2=2;connectio=3;" },
        { "connection:upgrade\r\nupgrade:x\r\n", true, "upgrade=x;connection=upgrade;" },
        { "a:b\r\nupgrade:x\r\nc:d\r\nconnection:upgrade\r\n", true,
          "a=b;upgrade=x;c=d;connection=upgrade;" },
        { "connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nte: x\r\n", true,
          "upgrade=websocket;connection=upgrade;" },
        { "connection: upgrade\r\nupgrade: x\r\n", false, "" },
        { "a:b\r\nupgrade:x\r\n", true, "a=b;" },
        { "a:b\r\nc:d\r\n", true, "a=b;c=d;" },
        { "connection: host, content-length, x\r\nhost: h\r\ncontent-length: 1\r\nx: 1\r\n", false,
          "host=h;content-length=1;" },
        { "Server: nginx\r\nX-A: 1\r\nX-AB: 2\r\n", false, "server=nginx;x-a=1;x-ab=2;" },
    };
    size_t i;
    int err;

    for (i = 0; i < sizeof table / sizeof *table; i++) {
        packed(table[i].fields, table[i].upgrade, NULL, &err);
        is_int(err, 0, "case %zu", i);
        is_str(list, table[i].expected, "case %zu: fields", i);
    }
    packed("Server: nginx\r\nX-A: 1\r\nX-AB: 2\r\n", false, drop, &err);
    is_str(list, "x-ab=2;", "names that the caller drops");
    packed("X_A: 1\r\nx_a: 2\r\nX_AB: 3\r\nx__a: 4\r\nX.A: 5\r\nX-A_: 6\r\n", false, drop, &err);
    is_str(list, "x_ab=3;x__a=4;x.a=5;x-a_=6;", "and their twins, as CGI would name them");
    packed("X_Hop: 1\r\nKeep_Alive: 2\r\nConnection: X-Hop\r\n", false, NULL, &err);
    is_str(list, "x_hop=1;keep_alive=2;", "other fields have no twins");
    packed("Y-B: 1\r\ny_c: 2\r\nY-: 3\r\nY: 4\r\nYY: 5\r\nx: 6\r\n", false, prefixes, &err);
    is_str(list, "y=4;yy=5;x=6;", "all that begin with a name that ends with a hyphen");
}

static void limits(void)
{
    static char fields[2000];
    size_t i;
    size_t n = 0;
    int err;

    n = (size_t)snprintf(fields, sizeof fields, "connection: ");
    for (i = 0; i < RELAY_CONNECTION_MAX - 1; i++)
        fields[n++] = i % 8 == 7 ? ',' : 'c';
    snprintf(fields + n, sizeof fields - n, "\r\na:b\r\n");
    packed(fields, false, NULL, &err);
    is_int(err, 0, "as many connection options as there is room for");
    is_str(list, "a=b;", "and the fields");
    snprintf(fields + n, sizeof fields - n, "c\r\na:b\r\n");
    packed(fields, false, NULL, &err);
    is_int(err, ERR_HTTP_SIZE, "one byte more");
    snprintf(fields + n, sizeof fields - n, "\r\nConnection:\r\n");
    packed(fields, false, NULL, &err);
    is_int(err, ERR_HTTP_SIZE, "in another field");
}

/* ---- against a packer that copies ---- */

static uint32_t below(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % n;
}

static void random_heads(void)
{
    static const char *const names[] = { "a", "B", "cc", "connection", "te", "x-1", "Upgrade",
                                         "content-type" };
    static const char *const packed_names[] = { "a", "b", "cc", "connection", "te", "x-1",
                                                "upgrade", "content-type" };
    static const char *const values[] = { "", "v", "a", "upgrade", "B, x-1", "some longer value",
                                          ",,a,", "=" };
    static const char *const before[] = { "", " ", "\t \t" };
    uint64_t state = 5;
    unsigned round;
    unsigned wrong = 0;

    for (round = 0; round < 3000; round++) {
        static char fields[4000], options[4000], expected[4000];
        unsigned count = below(&state, 12);
        unsigned name[12], value[12];
        size_t n = 0, e = 0, o = 0;
        bool upgrade = below(&state, 3) == 0;
        bool told;
        unsigned i;
        int err;

        fields[0] = expected[0] = options[0] = '\0';
        for (i = 0; i < count; i++) {
            name[i] = below(&state, 8);
            value[i] = below(&state, 8);
            n += (size_t)snprintf(fields + n, sizeof fields - n, "%s:%s%s%s\r\n", names[name[i]],
                                  before[below(&state, 3)], values[value[i]],
                                  before[below(&state, 3)]);
            if (name[i] == 3)
                o += (size_t)snprintf(options + o, sizeof options - o, "%s,", values[value[i]]);
        }
        told = upgrade && http_list_has(str_of(options), STR("upgrade"));
        for (i = 0; i < count; i++) {
            struct str is = str_of(names[name[i]]);
            bool kept = !http_is_hop_by_hop(is) && !http_list_has(str_of(options), is);

            if (kept || (told && name[i] == 6)) {
                struct str text = str_of(values[value[i]]);

                e += (size_t)snprintf(expected + e, sizeof expected - e, "%s=%.*s;",
                                      packed_names[name[i]], (int)text.n, (const char *)text.p);
            }
        }
        if (told)
            snprintf(expected + e, sizeof expected - e, "connection=upgrade;");
        packed(fields, upgrade, NULL, &err);
        if (err != 0 || strcmp(list, expected) != 0) {
            wrong++;
            diag("round %u: %s instead of %s", round, list, expected);
        }
    }
    is_int(wrong, 0, "3000 random heads, packed in place as by copying");
}

int main(void)
{
    cases();
    limits();
    random_heads();
    return done_testing();
}
