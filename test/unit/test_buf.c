#include "codec/buf.h"

#include "tap.h"

static void test_str(void)
{
    struct str none = { NULL, 0 };

    is_int(STR("host").n, 4, "STR leaves the terminator out");
    ok(str_eq(str_of("host"), STR("host")), "equal");
    ok(!str_eq(STR("host"), STR("hosT")), "case differs");
    ok(!str_eq(STR("host"), STR("hos")), "length differs");
    ok(str_eq(none, STR("")), "no slice is an empty one");
    ok(str_ieq(STR("Content-Length"), STR("content-LENGTH")), "case folded");
    ok(!str_ieq(STR("a"), STR("b")), "another letter");
    ok(!str_ieq(STR("a"), STR("ab")), "another length");
    ok(!str_ieq(STR("["), STR("{")), "only letters are folded");
    ok(!str_ieq(STR("@"), STR("`")), "the character before A is no letter");
    ok(!str_ieq(STR("\xc4"), STR("\xe4")), "no letter beyond ASCII");
    ok(str_ieq(none, none), "nothing equals nothing");
}

static void test_take(void)
{
    static const char spaced[] = " \ta b\t ";
    struct str rest = STR("a,,b");
    struct str none = { NULL, 0 };
    struct str s;

    is_int(str_find(STR("a:b:"), ':'), 1, "the first of two");
    is_int(str_find(STR("ab"), ':'), 2, "none: the length");
    is_int(str_find(none, ':'), 0, "nothing in nothing");
    ok(str_eq(str_take_until(&rest, ','), STR("a")) && rest.n == 2, "what is before a comma");
    ok(str_eq(str_take_until(&rest, ','), none) && rest.n == 1, "nothing between two commas");
    ok(str_eq(str_take_until(&rest, ','), STR("b")) && rest.n == 0, "the rest without one");
    ok(str_take_until(&rest, ',').n == 0 && rest.n == 0, "nothing at the end");
    rest = STR("ab,");
    ok(str_eq(str_take_until(&rest, ','), STR("ab")) && rest.n == 0, "the comma is taken, too");

    rest = STR(" one\t\r two");
    ok(str_eq(str_take_word(&rest), STR("one")), "the first word");
    ok(str_eq(str_take_word(&rest), STR("two")), "the last one");
    ok(str_take_word(&rest).n == 0 && rest.n == 0, "no more words");
    rest = STR("  ");
    ok(str_take_word(&rest).n == 0 && rest.n == 0, "no word in white space");
    rest = STR("\xc3\xa4!");
    is_int(str_take_word(&rest).n, 3, "bytes beyond ASCII are of a word");

    rest = STR("unix:/x");
    ok(!str_take(&rest, STR("unix:/x/")) && !str_take(&rest, STR("Unix:")) && rest.n == 7,
       "another prefix, nothing taken");
    ok(str_take(&rest, STR("unix:")) && str_eq(rest, STR("/x")), "a prefix");
    ok(str_take(&rest, STR("/x")) && rest.n == 0 && str_take(&rest, none), "all of it");

    s = str_trim(str_of(spaced));
    ok(str_eq(s, STR("a b")) && s.p == (const uint8_t *)spaced + 2, "trimmed where it is");
    ok(str_eq(str_trim(STR("\ra\n")), STR("\ra\n")), "only of spaces and tabs");
    is_int(str_trim(STR(" \t ")).n, 0, "nothing but blanks");
    is_int(str_trim(none).n, 0, "nothing trimmed");
}

static void test_texts(void)
{
    static const char texts[] = "one\0\0three";

    is_str(texts_at(texts, 0), "one", "the first text");
    is_str(texts_at(texts, 1), "", "an empty one");
    is_str(texts_at(texts, 2), "three", "the last one");
    is_int(texts_find(texts, 3, STR("one"), str_eq), 0, "found");
    is_int(texts_find(texts, 3, STR("three"), str_eq), 2, "found last");
    is_int(texts_find(texts, 3, STR(""), str_eq), 1, "found empty");
    is_int(texts_find(texts, 3, STR("thre"), str_eq), 3, "shorter");
    is_int(texts_find(texts, 2, STR("three"), str_eq), 2, "beyond the count");
    is_int(texts_find(texts, 3, STR("Three"), str_eq), 3, "another case");
    is_int(texts_find(texts, 3, STR("Three"), str_ieq), 2, "case folded");
}

static void test_reader(void)
{
    static const uint8_t in[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
    struct reader r;
    struct str s;

    reader_init(&r, in, sizeof in);
    is_int(reader_u8(&r), 1, "a byte");
    is_int(reader_be(&r, 2), 0x0203, "two bytes, big-endian");
    is_int(reader_be(&r, 8), 0x0405060708090a0b, "eight bytes");
    is_int(reader_left(&r), 1, "one is left");
    s = reader_str(&r, 1);
    is_mem(s.p, s.n, "\x0c", 1, "a slice of the input");
    ok(!r.bad, "all was there");
    s = reader_str(&r, 0);
    ok(s.n == 0 && !r.bad, "an empty slice at the end");
    is_int(reader_u8(&r), 0, "zero beyond the end");
    ok(r.bad, "and bad");

    reader_init(&r, in, 3);
    is_int(reader_be(&r, 4), 0, "a number that is cut off");
    ok(r.bad && reader_left(&r) == 0, "nothing is left after a failure");
    is_int(reader_u8(&r), 0, "nor readable");

    reader_init(&r, in, 3);
    s = reader_str(&r, SIZE_MAX);
    ok(s.p == NULL && s.n == 0 && r.bad, "a length that would wrap");

    reader_init(&r, NULL, 0);
    is_int(reader_left(&r), 0, "an empty reader");
    ok(reader_str(&r, 0).n == 0 && !r.bad, "gives an empty slice");
}

/* Everything a writer writes, in one message. */
static void write_all(struct writer *w)
{
    writer_u8(w, 'a');
    writer_be(w, 0x62636465, 4);
    writer_be(w, 0x0102030405060708, 8);
    writer_bytes(w, "fgh", 3);
    writer_str(w, (struct str){ NULL, 0 });
    writer_str(w, STR("ijk"));
    writer_u64(w, UINT64_MAX);
    writer_u64(w, 0);
    writer_text(w, "end");
}

static const char whole[] = "abcde\1\2\3\4\5\6\7\x8" "fghijk184467440737095516150end";

static void test_writer(void)
{
    const size_t len = sizeof whole - 1;
    struct writer w;
    int wrong = 0;

    for (size_t cap = 0; cap <= len + 1; cap++) {
        for (size_t skip = 0; skip <= len + 1; skip++) {
            uint8_t *out = tap_guard_end(cap);
            size_t past = skip < len ? len - skip : 0;
            size_t stored = past < cap ? past : cap;

            writer_init_at(&w, out, cap, skip);
            write_all(&w);
            wrong += w.len != len || writer_stored(&w) != stored;
            wrong += writer_fits(&w) != (past <= cap);
            wrong += memcmp(out, whole + (skip < len ? skip : len), stored) != 0;
            for (size_t i = stored; i < cap; i++)
                wrong += out[i] != 0xa5;
            tap_guard_free(out, cap);
        }
    }
    is_int(wrong, 0, "every window of the message holds its part and nothing else");
    writer_init(&w, NULL, 0);
    write_all(&w);
    is_int(w.len, len, "no room at all still counts");
}

/* Packing towards the front of one buffer, as a decoder that works in place does. */
static void test_overlap(void)
{
    uint8_t out[] = "..0123456789";
    struct writer w;

    writer_init(&w, out, sizeof out);
    writer_bytes(&w, out + 2, 10);
    is_mem(out, w.len, "0123456789", 10, "bytes from further on in the same buffer");
}

int main(void)
{
    test_overlap();
    test_str();
    test_take();
    test_texts();
    test_reader();
    test_writer();
    return done_testing();
}
