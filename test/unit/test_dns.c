#include "tap.h"

#include "codec/dns.h"
#include "err.h"

#define NAME STR("www.example.com")
#define NONE ((struct str){ NULL, 0 })
#define ID 0x1234

/* Messages are put together from literals; \0 and the like are written as octal. */
#define HEAD(flags, answers) "\x12\x34" flags "\0\1" answers "\0\0\0\0"
#define ANSWER "\x81\x80"
#define QUESTION "\3www\7example\3com\0" "\0\1\0\1"
#define QUESTION6 "\3www\7example\3com\0" "\0\x1c\0\1"
#define HERE "\xc0\x0c" /* the question's name */
#define COM "\xc0\x18"
#define A(ttl, address) "\0\1\0\1" "\0\0" ttl "\0\4" address

struct answer_case {
    const char *name;
    int expected;
    size_t n;
    const char *bytes;
};

#define CASE(name, expected, bytes) { name, expected, sizeof(bytes) - 1, bytes }

static const struct answer_case cases[] = {
    CASE("one address", 1, HEAD(ANSWER, "\0\1") QUESTION HERE A("\1\0", "\300\0\2\1")),
    CASE("two addresses", 2, HEAD(ANSWER, "\0\2") QUESTION HERE A("\1\0", "\300\0\2\1")
                             HERE A("\0\36", "\300\0\2\2")),
    CASE("an owner in full, in capitals", 1, HEAD(ANSWER, "\0\1") QUESTION
                             "\3WWW\7EXAMPLE\3COM\0" A("\1\0", "\300\0\2\1")),
    CASE("an owner compressed in part", 1, HEAD(ANSWER, "\0\1") QUESTION
                             "\3www\7example" COM A("\1\0", "\300\0\2\1")),
    CASE("no records", 0, HEAD(ANSWER, "\0\0") QUESTION),
    CASE("another's address", 0, HEAD(ANSWER, "\0\1") QUESTION COM A("\1\0", "\300\0\2\1")),
    CASE("another type", 0, HEAD(ANSWER, "\0\1") QUESTION HERE
                            "\0\20\0\1\0\0\1\0\0\4\3abc"),
    CASE("another class", 0, HEAD(ANSWER, "\0\1") QUESTION HERE
                             "\0\1\0\3\0\0\1\0\0\4\300\0\2\1"),
    CASE("an alias", 1, HEAD(ANSWER, "\0\2") QUESTION
                        HERE "\0\5\0\1\0\0\0\20\0\4\1a" COM "\xc0\x2d" A("\1\0", "\300\0\2\1")),
    CASE("an alias after its target", 1, HEAD(ANSWER, "\0\2") QUESTION
                        "\1a\3com\0" A("\1\0", "\300\0\2\1")
                        HERE "\0\5\0\1\0\0\0\20\0\4\1a" COM),
    CASE("an alias with an address of its own", 1, HEAD(ANSWER, "\0\3") QUESTION
                        HERE "\0\5\0\1\0\0\0\20\0\4\1a" COM "\1a" COM A("\1\0", "\300\0\2\1")
                        HERE A("\1\0", "\300\0\2\2")),
    CASE("an alias without a target", 0, HEAD(ANSWER, "\0\1") QUESTION
                        HERE "\0\5\0\1\0\0\0\20\0\4\1a" COM),
    CASE("an alias to itself", 0, HEAD(ANSWER, "\0\1") QUESTION
                        HERE "\0\5\0\1\0\0\0\20\0\2" HERE),
    CASE("aliases in a ring", 0, HEAD(ANSWER, "\0\2") QUESTION
                        HERE "\0\5\0\1\0\0\0\20\0\4\1a" COM "\1a" COM
                        "\0\5\0\1\0\0\0\20\0\2" HERE),
    CASE("cut off, but told so", 1, HEAD("\x83\x80", "\0\2") QUESTION HERE
                        A("\1\0", "\300\0\2\1") HERE "\0\1\0\1\0\0"),
    CASE("bytes after the answers", 1, HEAD(ANSWER, "\0\1") QUESTION HERE
                        A("\1\0", "\300\0\2\1") "\xff\xff\xff"),
    CASE("the name does not exist", ERR_DNS_NAME, HEAD("\x81\x83", "\0\0") QUESTION),
    CASE("server failure", ERR_DNS, HEAD("\x81\x82", "\0\0") QUESTION),
    CASE("refused", ERR_DNS, HEAD("\x81\x85", "\0\0") QUESTION),
    CASE("format error", ERR_DNS, HEAD("\x81\x81", "\0\0") QUESTION),
    CASE("a query", ERR_DNS, HEAD("\x01\0", "\0\0") QUESTION),
    CASE("another opcode", ERR_DNS, HEAD("\xa1\x80", "\0\0") QUESTION),
    CASE("another id", ERR_DNS, "\x12\x35\x81\x80\0\1\0\0\0\0\0\0" QUESTION),
    CASE("no question", ERR_DNS, "\x12\x34\x81\x80\0\0\0\0\0\0\0\0" QUESTION),
    CASE("two questions", ERR_DNS, "\x12\x34\x81\x80\0\2\0\0\0\0\0\0" QUESTION),
    CASE("another name", ERR_DNS, HEAD(ANSWER, "\0\0") "\3wwx\7example\3com\0" "\0\1\0\1"),
    CASE("a longer name", ERR_DNS, HEAD(ANSWER, "\0\0") "\3www\7example\3com\1x\0" "\0\1\0\1"),
    CASE("another question type", ERR_DNS, HEAD(ANSWER, "\0\0") QUESTION6),
    CASE("another question class", ERR_DNS, HEAD(ANSWER, "\0\0") "\3www\7example\3com\0\0\1\0\3"),
    CASE("fewer records than counted", ERR_DNS, HEAD(ANSWER, "\0\2") QUESTION HERE
                        A("\1\0", "\300\0\2\1")),
    CASE("65535 records counted", ERR_DNS, HEAD(ANSWER, "\xff\xff") QUESTION HERE
                        A("\1\0", "\300\0\2\1")),
    CASE("data longer than the message", ERR_DNS, HEAD(ANSWER, "\0\1") QUESTION HERE
                        "\0\1\0\1\0\0\1\0\xff\xff\300\0\2\1"),
    CASE("an address of 5 bytes", ERR_DNS, HEAD(ANSWER, "\0\1") QUESTION HERE
                        "\0\1\0\1\0\0\1\0\0\5\300\0\2\1\0"),
    CASE("an address of no bytes", ERR_DNS, HEAD(ANSWER, "\0\1") QUESTION HERE
                        "\0\1\0\1\0\0\1\0\0\0"),
    CASE("an alias shorter than its data", ERR_DNS, HEAD(ANSWER, "\0\1") QUESTION
                        HERE "\0\5\0\1\0\0\0\20\0\5\1a" COM "x"),
    CASE("an alias longer than its data", ERR_DNS, HEAD(ANSWER, "\0\1") QUESTION
                        HERE "\0\5\0\1\0\0\0\20\0\2\1a" COM),
    CASE("a pointer to itself", ERR_DNS, HEAD(ANSWER, "\0\1") QUESTION "\xc0\x21"
                        A("\1\0", "\300\0\2\1")),
    CASE("a pointer forwards", ERR_DNS, HEAD(ANSWER, "\0\1") QUESTION "\xc0\x30"
                        A("\1\0", "\300\0\2\1")),
    CASE("a pointer beyond the message", ERR_DNS, HEAD(ANSWER, "\0\1") QUESTION "\xff\xff"
                        A("\1\0", "\300\0\2\1")),
    CASE("labels that point to their own start", ERR_DNS, HEAD(ANSWER, "\0\1") QUESTION
                        "\1a\xc0\x21" A("\1\0", "\300\0\2\1")),
    CASE("a pointer in the question to itself", ERR_DNS, HEAD(ANSWER, "\0\0") "\xc0\x0c\0\1\0\1"),
    CASE("a label of a reserved kind", ERR_DNS, HEAD(ANSWER, "\0\1") QUESTION "\x40" "a"
                        A("\1\0", "\300\0\2\1")),
    CASE("half a pointer", ERR_DNS, HEAD(ANSWER, "\0\1") QUESTION "\xc0"),
};

static int parse(const void *in, size_t n, struct str text, enum dns_type type,
                 struct dns_answer *answer)
{
    struct dns_name name;

    if (dns_name_parse(text, NONE, &name) < 0)
        return 0;
    return dns_answer_parse(in, n, ID, &name, type, answer);
}

static void answers(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct answer_case *c = &cases[i];
        unsigned char *copy = tap_guard_end(c->n);
        struct dns_answer answer;

        memcpy(copy, c->bytes, c->n);
        is_int(parse(copy, c->n, STR("www.Example.com"), DNS_A, &answer), c->expected, "%s",
               c->name);
        tap_guard_free(copy, c->n);
    }
}

static void contents(void)
{
    static const char two[] = HEAD(ANSWER, "\0\2") QUESTION HERE A("\1\0", "\300\0\2\1")
                              HERE A("\0\36", "\300\0\2\2");
    static const char six[] = HEAD(ANSWER, "\0\1") QUESTION6 HERE "\0\x1c\0\1\x80\0\0\1\0\x10"
                              "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1";
    uint8_t text[IP_TEXT_MAX];
    struct dns_answer a;
    struct ip first;

    is_int(parse(two, sizeof two - 1, STR("www.example.com."), DNS_A, &a), 2,
           "a name with its last dot is the same");
    ip_parse(STR("192.0.2.1"), &first);
    is_mem(&a.address[0], sizeof first, &first, sizeof first, "the first address");
    is_mem(text, ip_format(&a.address[1], text), "192.0.2.2", 9, "the second");
    is_int(a.ttl, 30, "the least time to live");
    ok(!a.truncated, "whole");
    is_int(a.alias.len, 0, "no alias");
    is_int(parse(six, sizeof six - 1, NAME, DNS_AAAA, &a), 1, "an IPv6 address");
    is_mem(text, ip_format(&a.address[0], text), "2001:db8::1", 11, "in its bytes");
    is_int(a.ttl, 0, "a time to live with its top bit set is none");
}

/* Every answer cut at every byte ends in a result, and only cut-off ones in fewer addresses. */
static void cuts(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int good = 1;

        for (size_t n = 0; n < cases[i].n; n++) {
            unsigned char *copy = tap_guard_end(n);
            struct dns_answer a;
            int got;

            memcpy(copy, cases[i].bytes, n);
            got = parse(copy, n, NAME, DNS_A, &a);
            good = good && (got <= cases[i].expected || got == ERR_DNS || got == ERR_DNS_NAME);
            tap_guard_free(copy, n);
        }
        ok(good, "cut at every byte: %s", cases[i].name);
    }
}

static void many(void)
{
    uint8_t in[DNS_ANSWER_MAX];
    static const char head[] = HEAD(ANSWER, "\0\20") QUESTION;
    size_t n = sizeof head - 1;
    struct dns_answer a;

    memcpy(in, head, n);
    for (int i = 0; i < 16; i++, n += 16)
        memcpy(in + n, HERE A("\1\0", "\300\0\2\1"), 16);
    is_int(parse(in, n, NAME, DNS_A, &a), DNS_ADDRESSES_MAX,
           "16 addresses: as many as there is room for");
}

/* The addresses at the end of so many aliases, each owner before its target. */
static int addresses_behind(unsigned count, struct dns_answer *a)
{
    uint8_t in[DNS_ANSWER_MAX];
    static const char head[] = HEAD(ANSWER, "\0\0") QUESTION;
    size_t n = sizeof head - 1;

    memcpy(in, head, n);
    in[7] = (uint8_t)(count + 1); /* records */
    for (unsigned i = 0; i < count; i++) {
        uint8_t record[] = { 1, (uint8_t)('a' + i), 0xc0, 0x18, 0, 5, 0, 1, 0, 0, 1, 0, 0, 4,
                             1, (uint8_t)('a' + i + 1), 0xc0, 0x18 };

        if (i == 0) {
            memcpy(in + n, HERE "\0\5\0\1\0\0\1\0\0\4\1b\xc0\x18", 16);
            n += 16;
            continue;
        }
        memcpy(in + n, record, sizeof record);
        n += sizeof record;
    }
    memcpy(in + n, "\1x\xc0\x18" A("\1\0", "\300\0\2\1"), 18);
    in[n + 1] = (uint8_t)('a' + count);
    return parse(in, n + 18, NAME, DNS_A, a);
}

static void long_chain(void)
{
    struct dns_answer a;

    is_int(addresses_behind(10, &a), 1, "behind ten aliases is an address");
    is_int(addresses_behind(11, &a), 0, "a longer chain than any in use is left");
    is_int(addresses_behind(25, &a), 0, "and one that is much longer");
    is_int(a.alias.len, 0, "it leads nowhere");
}

/* The target of the last alias is what to ask for next, if its address is missing. */
static void aliases(void)
{
    static const struct {
        const char *what, *target;
        int len;
        size_t n;
        const char *bytes;
    } one[] = {
#define ALIAS(what, target, bytes) { what, target, sizeof(target), sizeof(bytes) - 1, bytes }
        ALIAS("one alias", "\1A\3com", HEAD(ANSWER, "\0\1") QUESTION
              HERE "\0\5\0\1\0\0\0\20\0\4\1A" COM),
        ALIAS("the last of two", "\2b.", HEAD(ANSWER, "\0\2") QUESTION
              HERE "\0\5\0\1\0\0\0\20\0\4\1a" COM
              "\1a" COM "\0\5\0\1\0\0\0\20\0\4\2b.\0"),
    };
    static const char good[] = HEAD(ANSWER, "\0\2") QUESTION
        HERE "\0\5\0\1\0\0\0\20\0\4\1a" COM "\xc0\x2d" A("\1\0", "\300\0\2\1");
    static const char ring[] = HEAD(ANSWER, "\0\1") QUESTION
        HERE "\0\5\0\1\0\0\0\20\0\2" HERE;
    struct dns_answer a;

    for (size_t i = 0; i < sizeof one / sizeof one[0]; i++) {
        is_int(parse(one[i].bytes, one[i].n, NAME, DNS_A, &a), 0, "%s", one[i].what);
        is_mem(a.alias.bytes, a.alias.len, one[i].target, (size_t)one[i].len, "its target");
        is_int(a.ttl, 16, "its time to live");
    }
    is_int(parse(good, sizeof good - 1, NAME, DNS_A, &a), 1, "an alias with an address");
    is_int(a.alias.len, 0, "has to be asked for no more");
    is_int(parse(ring, sizeof ring - 1, NAME, DNS_A, &a), 0, "an alias of itself");
    is_int(a.alias.len, 0, "leads nowhere");
}

/* Whose question has other letters than ours is told, whatever the answer is. */
static void cases_of_letters(void)
{
    static const char one[] = HEAD(ANSWER, "\0\1") QUESTION HERE A("\1\0", "\300\0\2\1");
    static const char none[] = HEAD("\x81\x83", "\0\0") QUESTION;
    struct dns_answer a;

    is_int(parse(one, sizeof one - 1, NAME, DNS_A, &a), 1, "the same letters");
    ok(a.same_case, "are told");
    is_int(parse(one, sizeof one - 1, STR("www.exaMple.com"), DNS_A, &a), 1, "a capital");
    ok(!a.same_case, "is another one");
    is_int(parse(none, sizeof none - 1, STR("Www.example.com"), DNS_A, &a), ERR_DNS_NAME,
           "also where there is no such name");
    ok(!a.same_case, "it is told");
    is_int(parse(none, sizeof none - 1, NAME, DNS_A, &a), ERR_DNS_NAME, "the same letters");
    ok(a.same_case, "are told");
}

static int query(struct str text, struct str suffix, uint8_t *out)
{
    struct dns_name name;
    int err = dns_name_parse(text, suffix, &name);

    return err < 0 ? err : dns_query_write(ID, &name, DNS_A, out);
}

static void queries(void)
{
    static const char expected[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0" QUESTION;
    static const char mixed[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0" "\3wWw\7Example\3cOM\0" "\0\1\0\1";
    static const char *const bad[] = { "", ".", ".a", "a..b", "a..", "..", "a.b.." };
    uint8_t out[DNS_QUERY_MAX];
    char label[130];
    char longest[260];
    struct str text = { (uint8_t *)longest, 253 };

    is_mem(out, (size_t)query(NAME, NONE, out), expected, sizeof expected - 1, "a query");
    is_mem(out, (size_t)query(STR("wWw.Example.cOM"), NONE, out), mixed, sizeof mixed - 1,
           "its letters as they are given");
    is_mem(out, (size_t)query(STR("www.example.com."), NONE, out), expected, sizeof expected - 1,
           "with its last dot");
    is_mem(out, (size_t)query(STR("www"), STR("example.com"), out), expected, sizeof expected - 1,
           "with a suffix");
    is_mem(out, (size_t)query(STR("www"), STR("example.com."), out), expected,
           sizeof expected - 1, "which may have a last dot, too");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        is_int(query(str_of(bad[i]), NONE, out), ERR_DNS, "not a name: '%s'", bad[i]);
        is_int(query(STR("a"), str_of(bad[i]), out), i == 0 ? 12 + 3 + 4 : ERR_DNS,
               "%s: '%s'", i == 0 ? "no suffix" : "nor a suffix", bad[i]);
    }
    memset(label, 'x', sizeof label);
    is_int(query((struct str){ (uint8_t *)label, 63 }, NONE, out), 12 + 65 + 4, "a label of 63");
    is_int(query((struct str){ (uint8_t *)label, 64 }, NONE, out), ERR_DNS, "a label of 64");
    memset(longest, 'x', sizeof longest);
    for (size_t i = 63; i < sizeof longest; i += 64)
        longest[i] = '.';
    is_int(query(text, NONE, out), 12 + 255 + 4, "a name of 253 bytes");
    is_int(query((struct str){ text.p, 254 }, NONE, out), ERR_DNS, "a name of 254 bytes");
    is_int(query((struct str){ text.p, 251 }, STR("x"), out), 12 + 255 + 4, "and with a suffix");
    is_int(query((struct str){ text.p, 251 }, STR("xx"), out), ERR_DNS, "that makes it too long");
}

int main(void)
{
    answers();
    contents();
    cuts();
    many();
    long_chain();
    aliases();
    cases_of_letters();
    queries();
    return done_testing();
}
