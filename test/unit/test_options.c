/* The option table: values of each kind, precedence, and the line that each mistake gets. */
#include "sys/options.h"

#include "capture.h"
#include "err.h"
#include "tap.h"

struct config {
    const char *url;
    const char *pin[3];
    bool jitter;
    uint32_t attempts;
    uint32_t delay;
    uint32_t factor;
    uint32_t protocol;
};

#define AT(field) offsetof(struct config, field)
static const struct option table[] = {
    OPTION("url", OPTION_TEXT, AT(url), "", "URL", "", "where to dial"),
    OPTION("pin", OPTION_LIST, AT(pin), "3", "HASH", "", "a key; up to 3 times"),
    OPTION("jitter", OPTION_FLAG, AT(jitter), "", "", "yes", "spread"),
    OPTION("max-attempts", OPTION_NUMBER, AT(attempts), "0|70000", "N", "7", "give up"),
    OPTION("base-delay", OPTION_DURATION, AT(delay), "100ms|1h", "TIME", "1s", "first delay"),
    OPTION("backoff-multiplier", OPTION_DECIMAL, AT(factor), "1|10", "X", "2", "growth"),
    OPTION("protocol", OPTION_CHOICE, AT(protocol), "", "auto|tlv|json", "auto", "encoding"),
    OPTION("version", OPTION_ACTION, 0, "", "", "", "print the version"),
    OPTION("help", OPTION_ACTION, 0, "", "", "", "print this"),
    { .text = NULL },
};

static struct config config;
static char *rest[2];
static int rest_count;
static struct capture captured;

/* Parses up to four arguments; what went to standard error is in captured.text. */
static int parse(const char *a, const char *b, const char *c, const char *d)
{
    char *argv[6] = { (char *)(uintptr_t) "/usr/sbin/adit" };
    const char *const given[4] = { a, b, c, d };
    int argc = 1, result;

    for (int i = 0; i < 4 && given[i]; i++)
        argv[argc++] = (char *)(uintptr_t)given[i];
    capture_begin(&captured, STDERR_FILENO);
    result = options_parse(table, &config, argc, argv, rest, 2, &rest_count);
    capture_end(&captured);
    return result;
}

static void test_presets(void)
{
    is_int(parse(NULL, NULL, NULL, NULL), 0, "no arguments");
    ok(config.url == NULL, "text without preset");
    ok(config.jitter, "flag preset");
    is_int(config.attempts, 7, "number preset");
    is_int(config.delay, 1000, "duration preset");
    is_int(config.factor, 2000, "decimal preset");
    is_int(config.protocol, 0, "choice preset");
}

static void test_list(void)
{
    is_int(parse("--pin", "a", "--pin=b", NULL), 0, "an option twice");
    is_str(config.pin[0], "a", "the first");
    is_str(config.pin[1], "b", "the second");
    ok(config.pin[2] == NULL, "no third");
    memset(&config, 0, sizeof config);
    is_int(parse("--pin=a", "--pin=b", "--pin=c", "--pin=d"), ERR_USAGE, "too often");
    ok(strstr(captured.text, "--pin: write a value, not more often") != NULL, "is said");
    memset(&config, 0, sizeof config);
}

static void test_list_of_the_environment(void)
{
    setenv("ADIT_PIN", "a", 1);
    is_int(parse(NULL, NULL, NULL, NULL), 0, "from the environment, too");
    is_str(config.pin[0], "a", "one");
    ok(config.pin[1] == NULL, "and no more");
    memset(&config, 0, sizeof config);
    setenv("ADIT_PIN", "  a bc   d ", 1);
    is_int(parse(NULL, NULL, NULL, NULL), 0, "or several");
    is_str(config.pin[0], "a", "the first");
    is_str(config.pin[1], "bc", "the second");
    is_str(config.pin[2], "d", "the third");
    memset(&config, 0, sizeof config);
    setenv("ADIT_PIN", "a b", 1);
    is_int(parse("--pin", "c", NULL, NULL), 0, "and the command line");
    is_str(config.pin[0], "c", "which wins");
    ok(config.pin[1] == NULL, "as a whole");
    memset(&config, 0, sizeof config);
    setenv("ADIT_PIN", "a b c d", 1);
    is_int(parse(NULL, NULL, NULL, NULL), ERR_USAGE, "too many");
    ok(strstr(captured.text, "ADIT_PIN: write a value, not more often") != NULL, "are said");
    unsetenv("ADIT_PIN");
    memset(&config, 0, sizeof config);
}

static void test_forms(void)
{
    is_int(parse("--url", "wss://x", "--base-delay=250ms", "--jitter=no"), 0, "both forms");
    is_str(config.url, "wss://x", "text");
    is_int(config.delay, 250, "duration");
    ok(!config.jitter, "flag off");
    is_int(parse("--url=", "--jitter", NULL, NULL), 0, "a flag without a value");
    is_str(config.url, "", "empty text after =");
    ok(config.jitter, "flag on");
    is_int(parse("token", "--url", "-", "name"), 0, "arguments between");
    is_int(rest_count, 2, "two arguments");
    is_str(rest[1], "name", "in order");
    is_str(config.url, "-", "a value may be a dash");
    is_int(parse("--", "--url", NULL, NULL), 0, "end of options");
    is_str(rest[0], "--url", "then everything is an argument");
    is_int(parse("--version", "--nonsense", NULL, NULL), 8, "an action ends it");
    is_int(parse("--url=x", "-h", "--nonsense", NULL), 9, "-h is --help");
    is_int(parse("-hh", NULL, NULL, NULL), ERR_USAGE, "and nothing like it");
}

static void test_values(void)
{
    static const struct {
        const char *arg;
        size_t at;
        uint32_t value;
    } good[] = {
        { "--base-delay=3", AT(delay), 3000 },          { "--base-delay=100ms", AT(delay), 100 },
        { "--base-delay=60m", AT(delay), 3600000 },     { "--base-delay=1h", AT(delay), 3600000 },
        { "--max-attempts=0", AT(attempts), 0 },        { "--max-attempts=9k", AT(attempts), 9216 },
        { "--backoff-multiplier=1.5", AT(factor), 1500 }, { "--protocol=json", AT(protocol), 2 },
        { "--backoff-multiplier=1.025", AT(factor), 1025 }, { "--protocol=tlv", AT(protocol), 1 },
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint32_t value;

        is_int(parse(good[i].arg, NULL, NULL, NULL), 0, "%s", good[i].arg);
        memcpy(&value, (char *)&config + good[i].at, sizeof value);
        is_int(value, good[i].value, "%s has its value", good[i].arg);
    }
}

static void test_mistakes(void)
{
    static const char delay[] =
        "adit: --base-delay: write a duration such as 250ms, 25s or 5m, from 100ms to 1h, not ";
    static const struct {
        const char *arg, *line;
    } bad[] = {
        { "--base-delay=99ms", "\"99ms\"\n" },
        { "--base-delay=2h", "\"2h\"\n" },
        { "--base-delay=", "\"\"\n" },
        { "--base-delay=s", "\"s\"\n" },
        { "--base-delay=-1s", "\"-1s\"\n" },
        { "--base-delay=1.5s", "\"1.5s\"\n" },
        { "--base-delay=4294967295h", "\"4294967295h\"\n" },
        { "--base-delay=99999999999999999999", "\"99999999999999999999\"\n" },
        { "--max-attempts=many",
          "adit: --max-attempts: write a number such as 8 or 64k, from 0 to 70000, not "
          "\"many\"\n" },
        { "--max-attempts=1M",
          "adit: --max-attempts: write a number such as 8 or 64k, from 0 to 70000, not \"1M\"\n" },
        { "--backoff-multiplier=1.0001",
          "adit: --backoff-multiplier: write a number such as 2 or 1.5, from 1 to 10, not "
          "\"1.0001\"\n" },
        { "--backoff-multiplier=2.",
          "adit: --backoff-multiplier: write a number such as 2 or 1.5, from 1 to 10, not "
          "\"2.\"\n" },
        { "--protocol=xml", "adit: --protocol: write auto or tlv or json, not \"xml\"\n" },
        { "--protocol=auto|tlv",
          "adit: --protocol: write auto or tlv or json, not \"auto|tlv\"\n" },
        { "--jitter=perhaps", "adit: --jitter: write yes or no, not \"perhaps\"\n" },
        { "--url", "adit: --url: write a value\n" },
        { "--protocl",
          "adit: unknown option --protocl, did you mean --protocol? (--help lists all)\n" },
        { "--zz=1", "adit: unknown option --zz=1; --help lists all\n" },
        { "--version=1",
          "adit: unknown option --version=1, did you mean --version? (--help lists all)\n" },
        { "-v", "adit: unknown option -v; --help lists all\n" },
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[256];

        is_int(parse(bad[i].arg, NULL, NULL, NULL), ERR_USAGE, "%s", bad[i].arg);
        snprintf(line, sizeof line, "%s%s", bad[i].line[0] == '"' ? delay : "", bad[i].line);
        is_str(captured.text, line, "%s has its line", bad[i].arg);
    }
    is_int(parse("--url", "x", "--url=x", NULL), ERR_USAGE, "an option twice");
    is_str(captured.text, "adit: --url is given twice\n", "has its line");
    is_int(parse("--jitter", "--protocol=tlv", "--jitter=no", NULL), ERR_USAGE, "a flag, too");
    is_int(parse("a", "b", "c", NULL), ERR_USAGE, "one argument too many");
    is_str(captured.text, "adit: what is \"c\"? Options begin with --, --help lists them\n",
           "named");
}

static void test_environment(void)
{
    setenv("ADIT_BASE_DELAY", "2s", 1);
    setenv("ADIT_URL", "wss://env", 1);
    setenv("ADIT_PROTOCOL", "", 1);
    is_int(parse("--url=wss://arg", NULL, NULL, NULL), 0, "environment and arguments");
    is_int(config.delay, 2000, "the environment sets");
    is_str(config.url, "wss://arg", "the command line wins");
    is_int(config.protocol, 0, "empty is as if unset");
    setenv("ADIT_JITTER", "maybe", 1);
    is_int(parse(NULL, NULL, NULL, NULL), ERR_USAGE, "a mistake in the environment");
    is_str(captured.text, "adit: ADIT_JITTER: write yes or no, not \"maybe\"\n", "has its line");
    unsetenv("ADIT_JITTER");
    unsetenv("ADIT_BASE_DELAY");
    unsetenv("ADIT_URL");
    unsetenv("ADIT_PROTOCOL");
}

static void test_help(void)
{
    capture_begin(&captured, STDOUT_FILENO);
    options_help(table, "adit --url URL");
    capture_end(&captured);
    ok(strncmp(captured.text, "adit --url URL\n  --url URL                 where to dial\n",
               53) == 0,
       "the synopsis, then aligned options");
    ok(strstr(captured.text, "\n  --base-delay TIME         first delay (1s)\n") != NULL,
       "presets");
    ok(strstr(captured.text, "\n  --backoff-multiplier X    growth (2)\n") != NULL, "decimals");
}

static void test_long_line(void)
{
    char arg[2000] = "--jitter=";

    memset(arg + 9, 'x', sizeof arg - 10);
    is_int(parse(arg, NULL, NULL, NULL), ERR_USAGE, "a long mistake");
    is_int(captured.len, 512, "is cut");
    ok(captured.text[511] == '\n', "and ends its line");
}

int main(void)
{
    test_presets();
    test_list();
    test_list_of_the_environment();
    test_forms();
    test_values();
    test_mistakes();
    test_environment();
    test_help();
    test_long_line();
    return done_testing();
}
