/* Names of a certificate, and what authorities allow them to be. */
#include "codec/san.h"

#include "tap.h"

#define DNS(n, name) "\x82" n name
#define IP4 "\x87\x04\xc0\x00\x02\x01"
#define IP6 "\x87\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define MAIL "\x81\x04" "a@me"
#define URI "\x86\x06" "x://me"

/* From the end of a page, so that reading beyond is noticed. */
static bool names(struct str list, const char *host)
{
    uint8_t *guarded = tap_guard_end(list.n);
    bool found;

    memcpy(guarded, list.p, list.n);
    found = san_names((struct str){ guarded, list.n }, str_of(host));
    tap_guard_free(guarded, list.n);
    return found;
}

static void test_names(void)
{
    struct str list = STR(MAIL URI DNS("\x0b", "zoo.example") DNS("\x09", "*.b.c.com") IP4 IP6
                          DNS("\x09", "192.0.2.2") DNS("\x05", "*.0.1"));
    static const char *const good[] = { "zoo.example", "ZOO.Example", "a.b.c.com", "192.0.2.1",
                                        "2001:db8::1", "2001:DB8:0:0::1" };
    static const char *const bad[] = {
        "", "oo.example", "a.zoo.example", "zoo.exampl", "b.c.com", "a.a.b.c.com", "*.b.c.co",
        "192.0.2.2", "192.0.0.1", "2001:db8::2", "::ffff:192.0.2.1", "a@me", "me", "x://me",
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ok(names(list, good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok(!names(list, bad[i]), "not %s", bad[i]);
    ok(!names(STR(DNS("\x02", "*.")), "a"), "a star alone");
    ok(!names(STR(DNS("\x05", "*.com")), "com"), "no label for the star");
    ok(!names(STR(DNS("\x05", "a*.me")), "ab.me"), "a star in a label");
    ok(!names(STR(DNS("\x06", "b.*.me")), "b.c.me"), "a star in the middle");
    ok(!names(STR(DNS("\x02", "me") "\x82\x03me"), "me"), "a list that is cut off");
    ok(!names(STR(DNS("\x05", "me\0me")), "me"), "a zero in a name");
    ok(!names(STR(""), "me"), "no name");
    ok(!names(STR("\x87\x08\xc0\x00\x02\x01\xff\xff\xff\xff"), "192.0.2.1"),
       "an address and a mask");
}

#define SUBJECT                                                                                    \
    "\x30\x1a\x31\x0b\x30\x09\x06\x03\x55\x04\x0a\x0c\x02us\x31\x0b\x30\x09\x06\x03\x55\x04\x03"   \
    "\x0c\x02me"
#define US "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x0a\x0c\x02us"
#define YOU "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x0a\x0c\x02ye"
#define NOBODY "\x30\x00"
#define LEAF DNS("\x09", "a.b.c.com") IP4

/* A list of one tree. */
#define TREE(kind, n, inner, base) kind n "\x30" inner base
#define PERMIT(n, inner, base) TREE("\xa0", n, inner, base)
#define EXCLUDE(n, inner, base) TREE("\xa1", n, inner, base)

static bool allowed(struct str limits, struct str list, const char *host)
{
    uint8_t *guarded = tap_guard_end(limits.n);
    bool good;

    memcpy(guarded, limits.p, limits.n);
    good = san_allowed((struct str){ guarded, limits.n }, list, STR(SUBJECT), str_of(host));
    tap_guard_free(guarded, limits.n);
    return good;
}

#define ALLOWED(limits) allowed(STR(limits), STR(LEAF), "a.b.c.com")

static void test_dns(void)
{
    ok(ALLOWED(""), "nothing is constrained");
    ok(ALLOWED(PERMIT("\x09", "\x07", DNS("\x05", "c.com"))), "below what is permitted");
    ok(ALLOWED(PERMIT("\x0d", "\x0b", DNS("\x09", "A.b.C.com"))), "itself");
    ok(ALLOWED(PERMIT("\x0a", "\x08", DNS("\x06", ".c.com"))), "with a dot before it");
    ok(ALLOWED(PERMIT("\x04", "\x02", DNS("\x00", ""))), "everything");
    ok(!ALLOWED(PERMIT("\x08", "\x06", DNS("\x04", ".org"))), "elsewhere");
    ok(!ALLOWED(PERMIT("\x06", "\x04", DNS("\x02", "om"))), "in the middle of a label");
    ok(!ALLOWED(PERMIT("\x0f", "\x0d", DNS("\x0b", "x.a.b.c.com"))), "above");
    ok(!ALLOWED(EXCLUDE("\x09", "\x07", DNS("\x05", "c.com"))), "below what is excluded");
    ok(!ALLOWED(EXCLUDE("\x04", "\x02", DNS("\x00", ""))), "everything is");
    ok(ALLOWED(EXCLUDE("\x08", "\x06", DNS("\x04", ".org"))), "something else is");
    ok(ALLOWED(PERMIT("\x10", "\x05", DNS("\x03", "org") "\x30\x07" DNS("\x05", "c.com"))),
       "one of two");
    ok(!ALLOWED(PERMIT("\x09", "\x07", DNS("\x05", "c.com"))
                EXCLUDE("\x0b", "\x09", DNS("\x07", "b.c.com"))), "permitted, but for a part");
    ok(!allowed(STR(PERMIT("\x09", "\x07", DNS("\x05", "c.com"))), STR(LEAF DNS("\x02", "me")),
                "a.b.c.com"), "every name counts");
    ok(allowed(STR(EXCLUDE("\x0b", "\x09", DNS("\x07", "b.c.com"))), STR(DNS("\x07", "*.c.com")),
               "a.c.com"), "a wildcard");
    ok(!allowed(STR(EXCLUDE("\x0b", "\x09", DNS("\x07", "b.c.com"))), STR(DNS("\x07", "*.c.com")),
                "b.c.com"), "does not stand for what is excluded");
    ok(!allowed(STR(PERMIT("\x0b", "\x09", DNS("\x07", "b.c.com"))), STR(DNS("\x07", "*.c.com")),
                "b.c.com"), "nor for more than is permitted");
}

static void test_others(void)
{
    ok(ALLOWED(PERMIT("\x0c", "\x0a", "\x87\x08\xc0\x00\x02\x00\xff\xff\xff\x00")), "a network");
    ok(!ALLOWED(PERMIT("\x0c", "\x0a", "\x87\x08\xc0\x00\x03\x00\xff\xff\xff\x00")), "another");
    ok(!ALLOWED(EXCLUDE("\x0c", "\x0a", "\x87\x08\xc0\x00\x02\x00\xff\xff\xff\x00")), "excluded");
    ok(!ALLOWED(PERMIT("\x08", "\x06", IP4)), "an address without a mask");
    ok(ALLOWED(PERMIT("\x13", "\x11", "\xa4\x0f" US)), "a directory");
    ok(!ALLOWED(PERMIT("\x13", "\x11", "\xa4\x0f" YOU)), "another");
    ok(!ALLOWED(EXCLUDE("\x13", "\x11", "\xa4\x0f" US)), "excluded");
    ok(ALLOWED(EXCLUDE("\x13", "\x11", "\xa4\x0f" YOU)), "another excluded");
    ok(san_allowed(STR(PERMIT("\x13", "\x11", "\xa4\x0f" YOU)), STR(LEAF), STR(NOBODY), STR("me")),
       "who has no name is in no directory");
    ok(!ALLOWED(PERMIT("\x06", "\x04", "\xa4\x02\x31\x00")), "a directory of another form");
    ok(!ALLOWED(EXCLUDE("\x06", "\x04", "\xa4\x02\x31\x00")), "excluded");
    ok(ALLOWED(PERMIT("\x07", "\x05", "\x81\x03" "you")), "mail, which it has not");
    ok(!allowed(STR(PERMIT("\x06", "\x04",
                           "\x81\x02"
                           "me")),
                STR(MAIL), ""),
       "mail cannot be checked");
    ok(!allowed(STR(EXCLUDE("\x06", "\x04",
                            "\x81\x02"
                            "ye")),
                STR(MAIL), ""),
       "nor that it is excluded");
    ok(san_allowed(STR(PERMIT("\x07", "\x05", DNS("\x03", "org"))), (struct str){ NULL, 0 },
                   STR(SUBJECT), STR("")),
       "a client without names");
}

static void test_malformed(void)
{
    static const char whole[] = PERMIT("\x09", "\x07", DNS("\x05", "c.com"))
        EXCLUDE("\x08", "\x06", DNS("\x04", ".org"));
    const size_t n = sizeof whole - 1, first = 11;
    bool cut = false;

    for (size_t i = 1; i < n; i++)
        cut = cut || (i != first &&
                      allowed((struct str){ (const uint8_t *)whole, i }, STR(LEAF), "a.b.c.com"));
    ok(!cut, "cut anywhere it allows nothing");
    ok(!ALLOWED(PERMIT("\x0c", "\x0a", DNS("\x05", "c.com") "\x80\x01\x01")), "a minimum");
    ok(!ALLOWED("\x05\x00"), "something else");
    ok(!ALLOWED(EXCLUDE("\x08", "\x06", DNS("\x04", ".org"))
                    PERMIT("\x09", "\x07", DNS("\x05", "c.com"))),
       "in another order");
    ok(!allowed(STR(PERMIT("\x09", "\x07", DNS("\x05", "c.com"))), STR("\x82\x20me"), ""),
       "names cut off");
}

int main(void)
{
    test_names();
    test_dns();
    test_others();
    test_malformed();
    return done_testing();
}
