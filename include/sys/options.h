/*
 * Options: one table per program serves the command line, the environment and --help.
 *
 * `--base-delay 1s` or `--base-delay=1s`; the environment's ADIT_BASE_DELAY=1s (empty: as if
 * unset); the command line wins, where only lists may be given twice. Durations: a number with ms,
 * s, m, h (a bare number is seconds). Numbers: k and M (1024s) may follow. Flags: `--jitter`, or
 * `--jitter=no`. `--` ends the options. No abbreviations; `-h` is the only short one. Errors: one
 * line on standard error that says what to write instead, exit 2 by the caller.
 */
#ifndef ADIT_OPTIONS_H
#define ADIT_OPTIONS_H

#include "codec/buf.h"

enum option_kind {
    OPTION_TEXT,     /* const char *, into argv or the environment */
    OPTION_LIST,     /* const char *[bounds]: may be repeated; what is not given stays NULL. In the
                        environment words with spaces between, which are cut there in place; the
                        command line's replace them */
    OPTION_FLAG,     /* bool; with a value: 1/0, yes/no, true/false, on/off */
    OPTION_NUMBER,   /* uint32_t, within bounds */
    OPTION_DURATION, /* uint32_t milliseconds, within bounds */
    OPTION_DECIMAL,  /* uint32_t thousandths, within bounds: "2" is 2000, "1.5" is 1500 */
    OPTION_CHOICE,   /* uint32_t index into the words of `argument` ("auto|tlv|json|plain") */
    OPTION_ACTION,   /* --version, --help: told as the result; never from the environment */
};

/* What belongs to an option, one string behind the other: five pointers each would be more than the
 * words they point to. NULL ends a table, of at most 64. */
struct option {
    const char *text;
    uint16_t offset;      /* in the program's configuration struct */
    uint8_t kind;
};

/*
 * name      without dashes
 * bounds    "FROM|TO" or "FROM", in the option's own form ("100ms|1h"); of a list how many; else ""
 * argument  its name for --help ("FILE"), or choices
 * preset    default, "": none (text NULL, flag false, number 0)
 */
#define OPTION(name, kind, offset, bounds, argument, preset, help) \
    { name "\0" bounds "\0" argument "\0" preset "\0" help, offset, kind }
enum option_part { OPTION_NAME, OPTION_BOUNDS, OPTION_ARGUMENT, OPTION_PRESET, OPTION_HELP };
const char *option_part(const struct option *o, enum option_part part);

/*
 * Sets presets, then the environment (prefix "ADIT_"), then argv. `rest` receives arguments that
 * are no options (for subcommands), up to rest_max; more, or any when rest_max is 0, is an error.
 * rest and rest_count may be NULL when rest_max is 0.
 * Returns 0, an OPTION_ACTION's index + 1 (at once, what follows is not looked at), or ERR_USAGE
 * after having printed the line. A preset that its own option refuses is a bug and ends the
 * program. argv is not changed.
 */
int options_parse(const struct option *table, void *config, int argc, char **argv, char **rest,
                  int rest_max, int *rest_count);
/* The value of an option's variable in the environment; NULL: there is none. */
char *options_variable(const char *name);
/* Usage on standard output. */
void options_help(const struct option *table, const char *synopsis);
/* One line on standard error, "PROGRAM: TEXT": for what a table cannot check. Returns ERR_USAGE. */
int options_error(const char *text);
/* The same of a file that an option names: "PROGRAM: OPTION PATH: WHY". */
int options_file_error(const char *option, const char *path, const char *why);

#endif
