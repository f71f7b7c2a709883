#include "codec/json.h"

#include "err.h"
#include "tap.h"

/* A text of the table may hold NULs, so it carries its length. */
#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
    const char *text;
    size_t n;
} good[] = {
    /* Values, section 3. */
    { TEXT("null") }, { TEXT("true") }, { TEXT("false") }, { TEXT("\"\"") }, { TEXT("{}") },
    { TEXT("[]") }, { TEXT("0") }, { TEXT("42") }, { TEXT("-0") }, { TEXT("-1") },
    { TEXT("\"a\"") },
    /* White space, section 2. */
    { TEXT(" null") }, { TEXT("null ") }, { TEXT("\t\n\r []\t\n\r ") }, { TEXT("[ ]") },
    { TEXT("{ }") }, { TEXT("[1 , 2]") }, { TEXT(" [ 1 ] ") }, { TEXT("{ \"a\" : 1 }") },
    { TEXT("{\"a\"\n:\t1\r,\"b\":2}") }, { TEXT("0\n") }, { TEXT("[1\n]") }, { TEXT("[\n]") },
    /* Arrays and objects. */
    { TEXT("[1]") }, { TEXT("[1,2]") }, { TEXT("[null,true,false]") }, { TEXT("[[]]") },
    { TEXT("[[],[]]") }, { TEXT("[[[[[1]]]]]") }, { TEXT("[{}]") }, { TEXT("[{},[]]") },
    { TEXT("[1,null,null,null,2]") }, { TEXT("[\"\"]") }, { TEXT("{\"a\":1}") },
    { TEXT("{\"a\":1,\"b\":2}") }, { TEXT("{\"\":0}") }, { TEXT("{\"a\":[]}") },
    { TEXT("{\"a\":{}}") }, { TEXT("{\"a\":{\"b\":{\"c\":[{}]}}}") }, { TEXT("{\"a\":1,\"a\":1}") },
    { TEXT("{\"a\":\"b\",\"a\":\"c\"}") }, { TEXT("{\"a\\u0000b\":1}") },
    { TEXT("[true,{\"x\":[false]}]") },
    /* Numbers, section 6. */
    { TEXT("[0e1]") }, { TEXT("[0e+1]") }, { TEXT("[0E-1]") }, { TEXT("[1E22]") },
    { TEXT("[1E-2]") }, { TEXT("[1E+2]") }, { TEXT("[1e01]") }, { TEXT("[123e45]") },
    { TEXT("[123.456e78]") }, { TEXT("[123.456789]") }, { TEXT("[-123]") }, { TEXT("[-0.0]") },
    { TEXT("[0.1]") }, { TEXT("[10]") }, { TEXT("[1e400]") }, { TEXT("[-1e-400]") },
    { TEXT("[1.0000000000000000000000000000000000001]") }, { TEXT("[ 4]") },
    { TEXT("[123123123123123123123123123123]") },
    { TEXT("[0.0000000000000000000000000000000001]") }, { TEXT("1.5") }, { TEXT("1e5") },
    { TEXT("[18446744073709551615]") }, { TEXT("[-9223372036854775808]") },
    /* Strings, section 7. */
    { TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"") }, { TEXT("\"\\u0041\"") },
    { TEXT("\"\\u00e9\\uABCD\\uabcd\"") }, { TEXT("\"\\u0000\"") }, { TEXT("\"\\uD834\\uDD1E\"") },
    { TEXT("\"\\udbff\\udfff\"") }, { TEXT("\"\\\\u0000\"") }, { TEXT("\"\x7f\"") },
    { TEXT("\"\xc3\xa9\"") }, { TEXT("\"\xe2\x82\xac\"") }, { TEXT("\"\xf0\x9f\x98\x80\"") },
    { TEXT("\"\xf4\x8f\xbf\xbf\"") }, { TEXT("\"\xef\xbf\xbf\"") },
    { TEXT("\"\xe2\x80\xa8\xe2\x80\xa9\"") }, { TEXT("\"a/*b*/c//d\"") }, { TEXT("\"'\"") },
    { TEXT("\"{[,:]}\"") }, { TEXT("\" \"") }, { TEXT("[\"\\\"\"]") }, { TEXT("\"\xef\xbb\xbf\"") },
    { TEXT("\"\xce\xba\\n\xce\xba\"") }, { TEXT("\"0123456789abcdef0123456789abcdef\"") },
    { TEXT("{\"a\":\"0123456789abcdef\\\"\"}") },
    /* Surrogates that stand alone are U+FFFD. */
    { TEXT("\"\\ud800\"") }, { TEXT("\"\\udc00\"") }, { TEXT("\"\\ud800\\ud800\"") },
    { TEXT("\"\\ud800x\"") }, { TEXT("\"\\ud800\\n\"") }, { TEXT("\"\\udc00\\ud800\"") },
    { TEXT("\"\\ud800\\u0041\"") },
};

static const struct {
    const char *text;
    size_t n;
} bad[] = {
    { TEXT("") }, { TEXT(" ") }, { TEXT("\n") }, { TEXT("\xef\xbb\xbf") },
    { TEXT("\xef\xbb\xbf{}") }, { TEXT("\xff\xfe[\0]\0") }, { TEXT("\0") }, { TEXT("x") },
    { TEXT("*") }, { TEXT("<.>") }, { TEXT("'a'") },
    /* More than one value, or less. */
    { TEXT("1 2") }, { TEXT("{}{}") }, { TEXT("[] []") }, { TEXT("[]x") }, { TEXT("[]\0") },
    { TEXT("\"a\" b") }, { TEXT("1]") }, { TEXT("{}}") }, { TEXT("[]]") }, { TEXT("[],") },
    { TEXT("null,") }, { TEXT("nulll") }, { TEXT("true false") }, { TEXT("[]#") },
    { TEXT("[]/**/") }, { TEXT("//x\n[]") }, { TEXT("\"\"\"") },
    /* Literals. */
    { TEXT("nul") }, { TEXT("tru") }, { TEXT("fals") }, { TEXT("nan") }, { TEXT("NaN") },
    { TEXT("Infinity") }, { TEXT("-Infinity") }, { TEXT("True") }, { TEXT("TRUE") },
    { TEXT("Null") }, { TEXT("[nul]") }, { TEXT("[truth]") }, { TEXT("[t]") }, { TEXT("[tru\0e]") },
    { TEXT("[n,]") }, { TEXT("undefined") }, { TEXT("truefalse") },
    /* Arrays. */
    { TEXT("[") }, { TEXT("]") }, { TEXT("[,]") }, { TEXT("[1,]") }, { TEXT("[,1]") },
    { TEXT("[1,,2]") }, { TEXT("[1 2]") }, { TEXT("[1") }, { TEXT("[1,") }, { TEXT("[1}") },
    { TEXT("[:]") }, { TEXT("[\"a\":1]") }, { TEXT("[[]") }, { TEXT("[1,\n1\n,1") },
    { TEXT("[\"\",]") }, { TEXT("[a]") }, { TEXT("[3[4]]") }, { TEXT("[\x0c]") },
    { TEXT("[\x0b]") }, { TEXT("[\xc2\xa0]") }, { TEXT("[\xe2\x81\xa0]") }, { TEXT("[*]") },
    { TEXT("[\\n]") }, { TEXT("[<null>]") }, { TEXT("[1;2]") }, { TEXT("[\xff]") }, { TEXT("[{]") },
    /* Objects. */
    { TEXT("{") }, { TEXT("}") }, { TEXT("{]") }, { TEXT("{,}") }, { TEXT("{\"a\"}") },
    { TEXT("{\"a\":}") }, { TEXT("{\"a\":1,}") }, { TEXT("{\"a\":1") }, { TEXT("{\"a\":") },
    { TEXT("{\"a\"") }, { TEXT("{\"a") }, { TEXT("{\"a\" 1}") }, { TEXT("{\"a\",1}") },
    { TEXT("{\"a\"::1}") }, { TEXT("{\"a\":1 \"b\":2}") }, { TEXT("{\"a\":1,,\"b\":2}") },
    { TEXT("{a:1}") }, { TEXT("{'a':1}") }, { TEXT("{1:1}") }, { TEXT("{null:1}") },
    { TEXT("{[]:1}") }, { TEXT("{:1}") }, { TEXT("{\"a\":1}}") }, { TEXT("{\"a\":1]") },
    { TEXT("{\"a\":\"b\"}/**/") }, { TEXT("{\"a\":1 \"\"}") }, { TEXT("{\"a\":1,\"b\"}") },
    { TEXT("{\"a\":1,2}") }, { TEXT("{{}:1}") }, { TEXT("{\"a\":{}") }, { TEXT("{\"a\":[}]") },
    { TEXT("{\"\\") }, { TEXT("{\"a\":/**/1}") }, { TEXT("{\"a\"=1}") },
    /* Numbers. */
    { TEXT("-") }, { TEXT("+1") }, { TEXT("01") }, { TEXT("-01") }, { TEXT("[-01]") },
    { TEXT("[012]") }, { TEXT("[00]") }, { TEXT("1.") }, { TEXT("[1.]") }, { TEXT("[.5]") },
    { TEXT("[-.5]") }, { TEXT("[0.e1]") }, { TEXT("[1e]") }, { TEXT("[1e+]") }, { TEXT("[1E-]") },
    { TEXT("1e") }, { TEXT("[1.2.3]") }, { TEXT("[1e1e1]") }, { TEXT("[1e1.5]") },
    { TEXT("[0x1]") }, { TEXT("[1x]") }, { TEXT("[--1]") }, { TEXT("[-]") }, { TEXT("[- 1]") },
    { TEXT("[+1]") }, { TEXT("[1 000]") }, { TEXT("[1,000.]") }, { TEXT("[1eE2]") },
    { TEXT("[0e]") }, { TEXT("[2.e3]") }, { TEXT("[-x]") }, { TEXT("[Inf]") }, { TEXT("[-NaN]") },
    { TEXT("[\xef\xbc\x91]") }, { TEXT("[1_0]") }, { TEXT("[1a]") }, { TEXT("[-1x]") },
    { TEXT("[1+2]") }, { TEXT("[0.1.2]") }, { TEXT("[++1]") }, { TEXT("[1\0]") }, { TEXT("-e1") },
    { TEXT(".") },
    /* Strings. */
    { TEXT("\"") }, { TEXT("\"a") }, { TEXT("\"\\\"") }, { TEXT("\"\\") }, { TEXT("\"\\x\"") },
    { TEXT("\"\\a\"") }, { TEXT("\"\\v\"") }, { TEXT("\"\\0\"") }, { TEXT("\"\\'\"") },
    { TEXT("\"\\U0041\"") }, { TEXT("\"\\N\"") }, { TEXT("\"\\u\"") }, { TEXT("\"\\u0\"") },
    { TEXT("\"\\u00\"") }, { TEXT("\"\\u004\"") }, { TEXT("\"\\u00g0\"") }, { TEXT("\"\\u 041\"") },
    { TEXT("\"\\u-041\"") }, { TEXT("\"\\u004") }, { TEXT("\"\\ud800\\") },
    { TEXT("\"\\ud800\\u") }, { TEXT("\"\\ud800\\udc0\"") }, { TEXT("\"\\ud800\\x\"") },
    { TEXT("\"\\ud800\\u1x\"") }, { TEXT("\"\\ud800\"\"") }, { TEXT("\"\n\"") }, { TEXT("\"\t\"") },
    { TEXT("\"\r\"") }, { TEXT("\"\0\"") }, { TEXT("\"\x1f\"") }, { TEXT("\"a\x01z\"") },
    { TEXT("\"01234567\x1f\"") }, { TEXT("\"\\\n\"") }, { TEXT("\"\\\0\"") },
    { TEXT("\"\\\xc3\xa9\"") }, { TEXT("a") }, { TEXT("\"\\u\xc3\xa9\xc3\xa9\"") },
    { TEXT("\xc3\xa9") }, { TEXT("abc\"") }, { TEXT("[\"a\\x00\"]") }, { TEXT("[\"x\"") },
    { TEXT("[\"\\{[\"\\{[\"") }, { TEXT("[\\u0020\"x\"]") }, { TEXT("{\"a\nb\":1}") },
    { TEXT("['x']") }, { TEXT("\"a\\") },
    /* Not UTF-8, section 8.1. */
    { TEXT("\"\xff\"") }, { TEXT("\"\x80\"") }, { TEXT("\"\xc3\"") }, { TEXT("\"\xc3\xa9\xa9\"") },
    { TEXT("\"\xe2\x82\"") }, { TEXT("\"\xc0\xaf\"") }, { TEXT("\"\xed\xa0\x80\"") },
    { TEXT("\"\xf4\x90\x80\x80\"") }, { TEXT("\"\xc3\\n\"") }, { TEXT("{\"\xff\":1}") },
    { TEXT("\"\\u0041\xff\"") }, { TEXT("\"\xf8\x88\x80\x80\x80\"") }, { TEXT("\"\xe0\x80\xaf\"") },
};

/* What the tokens say, as text: strings joined, so that pieces do not matter. */
struct trace {
    uint8_t text[4096];
    struct writer w;
    bool in_string;
};

static void note(struct trace *trace, const struct json_token *t)
{
    static const char marks[] = "?{}[]ksn+-0";

    if (!trace->in_string)
        writer_u8(&trace->w, (uint8_t)marks[t->kind]);
    if (t->kind == JSON_KEY || t->kind == JSON_STRING) {
        trace->in_string = !t->last;
        writer_str(&trace->w, t->piece);
        if (t->last)
            writer_u8(&trace->w, '|');
    }
    if (t->kind == JSON_NUMBER && t->is_uint)
        writer_u64(&trace->w, t->uint);
}

static int feed(struct json *j, const uint8_t *in, size_t n, struct trace *trace)
{
    struct json_token t;

    for (size_t at = 0;;) {
        int used = json_next(j, in + at, n - at, &t);

        if (used < 0)
            return used;
        if (t.kind == JSON_MORE)
            return at + (size_t)used == n ? 0 : ERR_STATE;
        note(trace, &t);
        at += (size_t)used;
    }
}

/* 0, or the error of the parts p[0..a), p[a..b), p[b..n) and the end. */
static int judge(const uint8_t *p, size_t a, size_t b, size_t n, struct trace *trace)
{
    struct json j = { 0 };
    struct json_token t;
    int result;

    writer_init(&trace->w, trace->text, sizeof trace->text);
    trace->in_string = false;
    result = feed(&j, p, a, trace);
    if (result == 0)
        result = feed(&j, p + a, b - a, trace);
    if (result == 0)
        result = feed(&j, p + b, n - b, trace);
    if (result == 0 && json_end(&j, &t) == 1)
        note(trace, &t);
    result = json_end(&j, &t);
    return result == 0 && j.depth != 0 ? ERR_STATE : result;
}

static bool is_verdict(int result, bool expected)
{
    return expected ? result == 0 : result == ERR_JSON || result == ERR_UTF8;
}

static void test_text(const char *text, size_t n, bool expected, size_t i)
{
    static struct trace whole, parts;
    unsigned char *in = tap_guard_end(n);
    int wrong = 0;

    memcpy(in, text, n);
    ok(is_verdict(judge(in, n, n, n, &whole), expected), "%s %zu", expected ? "good" : "bad", i);
    for (size_t a = 0; a <= n; a++) {
        for (size_t b = a; b <= n; b++) {
            wrong += !is_verdict(judge(in, a, b, n, &parts), expected);
            if (expected)
                wrong += whole.w.len != parts.w.len ||
                         memcmp(whole.text, parts.text, whole.w.len) != 0;
        }
    }
    is_int(wrong, 0, "%s %zu: the same in any three parts", expected ? "good" : "bad", i);
    tap_guard_free(in, n);
}

static void test_tokens(void)
{
    static const struct {
        const char *text;
        const char *trace;
        size_t n;
    } cases[] = {
        { " { \"a\" : [ 1 , \"b\" , true , false , null ] } ", "{ka|[n1sb|+-0]}", 15 },
        { "18446744073709551615", "n18446744073709551615", 21 },
        { "[18446744073709551616,18446744073709551620,99999999999999999999]", "[nnn]", 5 },
        { "[0,-0,1.0,1e2,-7,10]", "[n0nnnnn10]", 11 },
        { "\"\"", "s|", 2 },
        { "{\"\":\"\"}", "{k|s|}", 6 },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s\"\\/\b\f\n\r\t|", 10 },
        { "\"\\u0041\\u00e9\\u20AC\\uffff\"", "sA\xc3\xa9\xe2\x82\xac\xef\xbf\xbf|", 11 },
        { "\"\\u0000x\"", "s\0x|", 4 },
        { "\"\\ud83d\\ude00!\"", "s\xf0\x9f\x98\x80!|", 7 },
        { "\"\\ud83d\"", "s\xef\xbf\xbd|", 5 },
        { "\"\\ude00\"", "s\xef\xbf\xbd|", 5 },
        { "\"\\ud83dx\"", "s\xef\xbf\xbdx|", 6 },
        { "\"\\ud83d\\n\"", "s\xef\xbf\xbd\n|", 6 },
        { "\"\\ud83d\\\\u\"", "s\xef\xbf\xbd\\u|", 7 },
        { "\"\\ud83d\\u0041\"", "s\xef\xbf\xbd" "A|", 6 },
        { "\"\\ud83d\\uffff\"", "s\xef\xbf\xbd\xef\xbf\xbf|", 8 },
        { "\"\\ud83d\\ud83d\\ude00\"", "s\xef\xbf\xbd\xf0\x9f\x98\x80|", 9 },
        { "\"\\ude00\\ud83d\"", "s\xef\xbf\xbd\xef\xbf\xbd|", 8 },
        { "{\"\\u0061b\":\"c\\u0064\"}", "{kab|scd|}", 10 },
        { "[0]", "[n0]", 4 },
        { "{\"a\":1,\"b\":{\"c\":2}}", "{ka|n1kb|{kc|n2}}", 17 },
    };
    static struct trace trace;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = strlen(cases[i].text);

        is_int(judge((const uint8_t *)cases[i].text, n, n, n, &trace), 0, "%s", cases[i].text);
        is_mem(trace.text, trace.w.len, cases[i].trace, cases[i].n, "its tokens");
    }
}

static void test_depth(void)
{
    static uint8_t text[2 * JSON_DEPTH_MAX + 2];
    static struct trace trace;
    size_t n = 2 * JSON_DEPTH_MAX;
    struct json j = { 0 };
    struct json_token t;
    int result = 0;

    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    is_int(judge(text, n, n, n, &trace), 0, "as deep as the limit");
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    is_int(judge(text, n + 2, n + 2, n + 2, &trace), ERR_JSON_DEPTH, "one deeper");
    for (int i = 0; i < 100000 && result >= 0; i++)
        result = json_next(&j, (const uint8_t *)"[", 1, &t);
    is_int(result, ERR_JSON_DEPTH, "a hundred thousand");
    is_int(json_next(&j, (const uint8_t *)"]", 1, &t), ERR_JSON_DEPTH, "an error stays");
    is_int(json_end(&j, &t), ERR_JSON_DEPTH, "to the end");
}

/* Objects and arrays in turn at every level: each end must match its own start. */
static void test_nesting(void)
{
    static const char open[] = "[{\"a\":";
    static uint8_t text[JSON_DEPTH_MAX * 5];
    static struct trace trace;
    struct writer w;

    writer_init(&w, text, sizeof text);
    for (int i = 0; i < JSON_DEPTH_MAX / 2; i++)
        writer_text(&w, open);
    writer_u8(&w, '0');
    for (int i = 0; i < JSON_DEPTH_MAX / 2; i++)
        writer_text(&w, "}]");
    ok(writer_fits(&w), "room");
    is_int(judge(text, w.len, w.len, w.len, &trace), 0, "objects in arrays in objects");
    text[w.len - 1] = '}';
    is_int(judge(text, w.len, w.len, w.len, &trace), ERR_JSON, "the wrong end of the outermost");
}

static void test_piece_is_input(void)
{
    static const uint8_t in[] = "\"hello\\nworld\"";
    struct json j = { 0 };
    struct json_token t;

    is_int(json_next(&j, in, sizeof in - 1, &t), 7, "a piece up to the escape");
    ok(t.piece.p == in + 1 && t.piece.n == 5 && !t.last, "is a slice of the input");
    is_int(json_next(&j, in + 7, sizeof in - 8, &t), 1, "the escape");
    is_mem(t.piece.p, t.piece.n, "\n", 1, "is decoded");
    is_int(json_next(&j, in + 8, sizeof in - 9, &t), 6, "the rest");
    ok(t.piece.p == in + 8 && t.piece.n == 5 && t.last, "is a slice and the last");
    ok(t.kind == JSON_STRING && j.depth == 0, "of a string");
}

static void test_words(void)
{
    static struct trace trace;
    int wrong = 0;

    for (unsigned c = 0; c < 256; c++) {
        for (size_t at = 0; at < 24; at++) {
            uint8_t text[26];
            bool expected = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';

            memset(text, 'a', sizeof text);
            text[0] = text[25] = '"';
            text[1 + at] = (uint8_t)c;
            if (c != '\\' || at == 23)
                wrong += (judge(text, 26, 26, 26, &trace) == 0) != expected;
        }
    }
    is_int(wrong, 0, "every byte is seen wherever it stands in a string");
}

static void test_write(void)
{
    static const struct {
        const char *name;
        const char *in;
        size_t n;
        const char *out;
    } cases[] = {
        { "nothing", TEXT(""), "\"\"" },
        { "plain", TEXT("abc"), "\"abc\"" },
        { "quote and backslash", TEXT("\"\\/"), "\"\\\"\\\\/\"" },
        { "short escapes", TEXT("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\"" },
        { "other controls", TEXT("\0\x01\x07\x0b\x0e\x1f\x7f"),
          "\"\\u0000\\u0001\\u0007\\u000b\\u000e\\u001f\x7f\"" },
        { "UTF-8", TEXT("\xc3\xa9\xf0\x9f\x98\x80"), "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
        { "Latin-1", TEXT("caf\xe9!"), "\"caf\xef\xbf\xbd!\"" },
        { "a continuation alone", TEXT("a\x80" "b"), "\"a\xef\xbf\xbd" "b\"" },
        { "overlong", TEXT("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "cut off, then plain", TEXT("\xe2\x82" "a"), "\"\xef\xbf\xbd" "a\"" },
        { "cut off at the end", TEXT("a\xf0\x9f\x98"), "\"a\xef\xbf\xbd\"" },
        { "cut off before an escape", TEXT("\xc3\n"), "\"\xef\xbf\xbd\\n\"" },
        { "a surrogate", TEXT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "good between bad", TEXT("\xff\xc3\xa9\xff"), "\"\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\"" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char *in = tap_guard_end(cases[i].n);
        size_t expected_len = strlen(cases[i].out);
        uint8_t out[64];
        struct writer w;
        int wrong = 0;

        memcpy(in, cases[i].in, cases[i].n);
        writer_init(&w, out, sizeof out);
        json_write_string(&w, (struct str){ in, cases[i].n });
        is_mem(out, w.len, cases[i].out, expected_len, "written: %s", cases[i].name);
        for (size_t at = 0; at < expected_len; at++) {
            writer_init_at(&w, out, 1, at);
            json_write_string(&w, (struct str){ in, cases[i].n });
            wrong += out[0] != (uint8_t)cases[i].out[at];
        }
        is_int(wrong, 0, "and one byte at a time");
        tap_guard_free(in, cases[i].n);
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        test_text(good[i].text, good[i].n, true, i);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        test_text(bad[i].text, bad[i].n, false, i);
    test_tokens();
    test_depth();
    test_nesting();
    test_piece_is_input();
    test_words();
    test_write();
    return done_testing();
}
