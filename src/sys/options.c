#include "sys/options.h"

#include <string.h>
#include <unistd.h>

#include "codec/ascii.h"
#include "err.h"
#include "options_value.h"
#include "sys/fmt.h"

#define ENVIRONMENT_PREFIX "ADIT_"
#define LINE_MAX_LEN 512
/* Where the explanations of --help begin. */
#define HELP_COLUMN 28

static const char *program = "adit";

struct line {
    struct writer w;
    uint8_t text[LINE_MAX_LEN];
};

static void line_start(struct line *l)
{
    /* Room for the line's end, which a cut line needs too. */
    writer_init(&l->w, l->text, sizeof l->text - 1);
}

static void line_end(struct line *l, int fd)
{
    size_t n = writer_stored(&l->w);

    l->text[n++] = '\n';
    fmt_write(fd, l->text, n);
}

static void error_start(struct line *l)
{
    line_start(l);
    writer_text(&l->w, program);
    writer_text(&l->w, ": ");
}

int options_error(const char *text)
{
    struct line l;

    error_start(&l);
    writer_text(&l.w, text);
    line_end(&l, STDERR_FILENO);
    return ERR_USAGE;
}

int options_file_error(const char *option, const char *path, const char *why)
{
    struct line l;

    error_start(&l);
    writer_text(&l.w, option);
    writer_text(&l.w, " ");
    writer_text(&l.w, path);
    writer_text(&l.w, ": ");
    writer_text(&l.w, why);
    line_end(&l, STDERR_FILENO);
    return ERR_USAGE;
}

/* ---- values ---- */

/* False when a list is full. */
static bool append(const struct option *o, uint8_t *field, const char *text)
{
    const char *entry;
    uint32_t max = 0;

    options_value_parse(o, (struct str){ NULL, 0 }, &max);
    for (; max > 0; max--, field += sizeof entry) {
        memcpy(&entry, field, sizeof entry);
        if (!entry) {
            memcpy(field, &text, sizeof text);
            return true;
        }
    }
    return false;
}

/* The words of a variable; false when they are too many. */
static bool append_words(const struct option *o, uint8_t *field, char *text)
{
    while (*text) {
        char *word = text;

        while (*text && *text != ' ')
            text++;
        if (*text)
            *text++ = '\0';
        if (*word && !append(o, field, word))
            return false;
    }
    return true;
}

static void empty(const struct option *o, uint8_t *field)
{
    uint32_t max = 0;

    options_value_parse(o, (struct str){ NULL, 0 }, &max);
    memset(field, 0, max * sizeof o->text);
}

/* Stores the value of an option into the configuration; false when it is malformed. */
static bool assign(const struct option *o, void *config, const char *text)
{
    uint8_t *field = (uint8_t *)config + o->offset;
    uint32_t value = 0;
    bool flag;

    if (o->kind == OPTION_TEXT) {
        memcpy(field, &text, sizeof text);
        return true;
    }
    if (o->kind == OPTION_LIST)
        return append(o, field, text);
    if (text && !options_value_parse(o, str_of(text), &value))
        return false;
    flag = value != 0;
    if (o->kind == OPTION_FLAG)
        memcpy(field, &flag, sizeof flag);
    else
        memcpy(field, &value, sizeof value);
    return true;
}

/* Says what to write instead of `text` (NULL: nothing was written) for an option or a variable of
 * the environment. */
static int refuse(const struct option *o, struct str name, const char *text)
{
    struct line l;

    error_start(&l);
    writer_str(&l.w, name);
    writer_text(&l.w, ": write ");
    options_value_expected(o, &l.w);
    if (text) {
        writer_text(&l.w, ", not \"");
        writer_text(&l.w, text);
        writer_text(&l.w, "\"");
    }
    line_end(&l, STDERR_FILENO);
    return ERR_USAGE;
}

static const struct option *most_alike(const struct option *table, struct str name)
{
    const struct option *best = NULL;
    size_t best_n = 1;

    for (const struct option *o = table; o->text; o++) {
        size_t n = 0;

        while (n < name.n && o->text[n] == (char)name.p[n])
            n++;
        if (n > best_n) {
            best = o;
            best_n = n;
        }
    }
    return best;
}

static int twice(const struct option *o)
{
    struct line l;

    error_start(&l);
    writer_text(&l.w, "--");
    writer_text(&l.w, o->text);
    writer_text(&l.w, " is given twice");
    line_end(&l, STDERR_FILENO);
    return ERR_USAGE;
}

static int unknown(const struct option *table, const char *arg, struct str name)
{
    const struct option *alike = most_alike(table, name);
    struct line l;

    error_start(&l);
    writer_text(&l.w, "unknown option ");
    writer_text(&l.w, arg);
    if (alike) {
        writer_text(&l.w, ", did you mean --");
        writer_text(&l.w, alike->text);
        writer_u8(&l.w, '?');
    }
    writer_text(&l.w, alike ? " (--help lists all)" : "; --help lists all");
    line_end(&l, STDERR_FILENO);
    return ERR_USAGE;
}

static int too_many(const char *arg)
{
    struct line l;

    error_start(&l);
    writer_text(&l.w, "what is \"");
    writer_text(&l.w, arg);
    writer_text(&l.w, "\"? Options begin with --, --help lists them");
    line_end(&l, STDERR_FILENO);
    return ERR_USAGE;
}

/* ---- presets, environment, command line ---- */

static void set_presets(const struct option *table, void *config)
{
    for (const struct option *o = table; o->text; o++) {
        const char *preset = option_part(o, OPTION_PRESET);

        if (o->kind != OPTION_ACTION && !assign(o, config, *preset ? preset : NULL))
            __builtin_trap();
    }
}

/* What follows "ADIT_BASE_DELAY=" for base-delay; NULL: it is another variable. */
static char *value_of(char *variable, const char *name)
{
    for (const char *p = ENVIRONMENT_PREFIX; *p; p++) {
        if (*variable++ != *p)
            return NULL;
    }
    for (; *name; name++) {
        uint8_t c = *name == '-' ? '_' : ascii_upper((uint8_t)*name);

        if ((uint8_t)*variable++ != c)
            return NULL;
    }
    return *variable == '=' ? variable + 1 : NULL;
}

char *options_variable(const char *name)
{
    for (char **e = environ; e && *e; e++) {
        char *value = value_of(*e, name);

        if (value)
            return value;
    }
    return NULL;
}

static int read_environment(const struct option *table, void *config)
{
    for (const struct option *o = table; o->text; o++) {
        char *text = options_variable(o->text);
        size_t n = sizeof ENVIRONMENT_PREFIX - 1 + strlen(o->text);
        bool good;

        if (o->kind == OPTION_ACTION || !text || *text == '\0')
            continue;
        good = o->kind == OPTION_LIST ? append_words(o, (uint8_t *)config + o->offset, text)
                                      : assign(o, config, text);
        if (!good)
            return refuse(o, (struct str){ (const uint8_t *)text - 1 - n, n }, text);
    }
    return 0;
}

static const struct option *find(const struct option *table, struct str name)
{
    for (const struct option *o = table; o->text; o++) {
        if (str_eq(str_of(o->text), name))
            return o;
    }
    return NULL;
}

/* One option of argv; *next is the argument behind it, *given has a bit for each that was read. An
 * action's index + 1, 0, or ERR_USAGE. */
static int read_option(const struct option *table, void *config, char **argv, int *next,
                       uint64_t *given)
{
    uint64_t bit;
    const char *arg = argv[*next - 1];
    struct str name = { (const uint8_t *)arg + 2, 0 };
    const struct option *o;
    const char *value;

    while (name.p[name.n] != '=' && name.p[name.n] != '\0')
        name.n++;
    o = find(table, name);
    value = name.p[name.n] == '=' ? arg + 3 + name.n : NULL;

    if (!o || (o->kind == OPTION_ACTION && value))
        return unknown(table, arg, name);
    if (o->kind == OPTION_ACTION)
        return (int)(o - table) + 1;
    bit = UINT64_C(1) << (o - table);
    if ((*given & bit) && o->kind != OPTION_LIST)
        return twice(o);
    if (o->kind == OPTION_LIST && !(*given & bit))
        empty(o, (uint8_t *)config + o->offset);
    *given |= bit;
    if (!value && o->kind == OPTION_FLAG)
        value = "1";
    else if (!value && argv[*next])
        value = argv[(*next)++];
    if (!value || !assign(o, config, value))
        return refuse(o, (struct str){ name.p - 2, name.n + 2 }, value);
    return 0;
}

static int read_arguments(const struct option *table, void *config, char **argv, char **rest,
                          int rest_max, int *rest_count)
{
    const struct option *help = find(table, STR("help"));
    uint64_t given = 0;
    bool ended = false;
    int next = 1;

    while (argv[next]) {
        char *arg = argv[next++];
        int result;

        if (ended || arg[0] != '-' || arg[1] == '\0') {
            if (*rest_count == rest_max)
                return too_many(arg);
            rest[(*rest_count)++] = arg;
        } else if (strcmp(arg, "--") == 0) {
            ended = true;
        } else if (strcmp(arg, "-h") == 0 && help) {
            return (int)(help - table) + 1;
        } else if (arg[1] != '-') {
            return unknown(table, arg, (struct str){ NULL, 0 });
        } else {
            result = read_option(table, config, argv, &next, &given);
            if (result != 0)
                return result;
        }
    }
    return 0;
}

static void set_program(const char *path)
{
    program = path;
    for (; *path; path++) {
        if (*path == '/')
            program = path + 1;
    }
}

int options_parse(const struct option *table, void *config, int argc, char **argv, char **rest,
                  int rest_max, int *rest_count)
{
    int none = 0;
    int result;

    if (argc > 0)
        set_program(argv[0]);
    if (!rest_count)
        rest_count = &none;
    *rest_count = 0;
    set_presets(table, config);
    result = read_environment(table, config);
    if (result != 0 || argc == 0)
        return result;
    return read_arguments(table, config, argv, rest, rest_max, rest_count);
}

/* ---- help ---- */

static void put_preset(struct writer *w, const struct option *o)
{
    const char *preset = option_part(o, OPTION_PRESET);

    if (*preset == '\0' || o->kind == OPTION_FLAG)
        return;
    writer_text(w, " (");
    writer_text(w, preset);
    writer_text(w, ")");
}

void options_help(const struct option *table, const char *synopsis)
{
    struct line l;

    line_start(&l);
    writer_text(&l.w, synopsis);
    line_end(&l, STDOUT_FILENO);
    for (const struct option *o = table; o->text; o++) {
        line_start(&l);
        writer_text(&l.w, "  --");
        writer_text(&l.w, o->text);
        writer_text(&l.w, *option_part(o, OPTION_ARGUMENT) ? " " : "");
        writer_text(&l.w, option_part(o, OPTION_ARGUMENT));
        do
            writer_u8(&l.w, ' ');
        while (l.w.len < HELP_COLUMN);
        writer_text(&l.w, option_part(o, OPTION_HELP));
        put_preset(&l.w, o);
        line_end(&l, STDOUT_FILENO);
    }
}
