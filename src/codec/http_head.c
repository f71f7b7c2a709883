#include "codec/http.h"

#include <string.h>

#include "codec/ascii.h"
#include "err.h"

/* Everything but controls (RFC 9110 section 5.5), by machine word: sets the top bit of each byte
 * that is below 0x20 or DEL. Such a word is looked at again by bytes, because HTAB is allowed and
 * because a borrow can mark the byte after a hit. */
#define ONES ((size_t)-1 / 0xff)

static bool word_is_plain(const uint8_t *p)
{
    size_t word;
    size_t low;
    size_t del;

    memcpy(&word, p, sizeof word);
    low = (word - ONES * 0x20) & ~word;
    del = ((word ^ (ONES * 0x7f)) - ONES) & ~(word ^ (ONES * 0x7f));
    return ((low | del) & (ONES * 0x80)) == 0;
}

static bool byte_is_text(uint8_t c)
{
    return (c >= 0x20 && c != 0x7f) || c == '\t';
}

bool http_value_valid(struct str value)
{
    size_t i = 0;

    while (i < value.n) {
        if (value.n - i >= sizeof(size_t) && word_is_plain(value.p + i)) {
            i += sizeof(size_t);
            continue;
        }
        if (!byte_is_text(value.p[i]))
            return false;
        i++;
    }
    return true;
}

bool http_name_valid(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (!ascii_is_tchar(name.p[i]))
            return false;
    }
    return name.n > 0;
}

bool http_method_valid(struct str method)
{
    return method.n <= HTTP_METHOD_MAX && http_name_valid(method);
}

bool http_target_valid(struct str target)
{
    return target.n > 0 && http_value_valid(target) && str_find(target, ' ') == target.n &&
           str_find(target, '\t') == target.n;
}

/* Takes the bytes before the first space off *rest, and the space; false when there is none. */
static bool take_word(struct str *rest, struct str *word)
{
    size_t had = rest->n;

    *word = str_take_until(rest, ' ');
    return word->n < had;
}

/* RFC 9112 section 2.3: case-sensitive, one digit each. A minor version beyond 1 is read as 1 (RFC
 * 9110 section 2.5). */
static int version_parse(struct str text, unsigned *minor)
{
    if (text.n != 8 || memcmp(text.p, "HTTP/", 5) != 0 || !ascii_is_digit(text.p[5]) ||
        text.p[6] != '.' || !ascii_is_digit(text.p[7]))
        return ERR_HTTP;
    if (text.p[5] != '1')
        return ERR_HTTP_VERSION;
    *minor = text.p[7] != '0';
    return 0;
}

/* RFC 9112 section 3: single spaces, nothing around. */
static int request_line(struct str line, struct http_head *head)
{
    struct str rest = line;

    if (!take_word(&rest, &head->method) || !http_method_valid(head->method) ||
        !take_word(&rest, &head->target) || !http_target_valid(head->target))
        return ERR_HTTP;
    return version_parse(rest, &head->minor);
}

/* RFC 9112 section 4. The space after the status is missing in practice when no reason follows;
 * that has one reading only. */
static int status_line(struct str line, struct http_head *head)
{
    struct str rest = line;
    struct str version;
    int err;

    if (!take_word(&rest, &version))
        return ERR_HTTP;
    err = version_parse(version, &head->minor);
    if (err < 0)
        return err;
    if (rest.n < 3 || rest.p[0] < '1' || rest.p[0] > '5' || !ascii_is_digit(rest.p[1]) ||
        !ascii_is_digit(rest.p[2]) || (rest.n > 3 && rest.p[3] != ' '))
        return ERR_HTTP;
    head->status = (rest.p[0] - (unsigned)'0') * 100 + (rest.p[1] - (unsigned)'0') * 10 +
                   (rest.p[2] - (unsigned)'0');
    head->reason = (struct str){ rest.p + 3, 0 };
    if (rest.n > 4)
        head->reason = (struct str){ rest.p + 4, rest.n - 4 };
    return http_value_valid(head->reason) ? 0 : ERR_HTTP;
}

/* RFC 9112 section 5. A line that begins with white space (obs-fold, section 5.2) has no name. */
static int field_line(struct str line)
{
    struct str value = line;
    struct str name = str_take_until(&value, ':');

    if (name.n == line.n || !http_name_valid(name) || !http_value_valid(value))
        return ERR_HTTP;
    return name.n > HTTP_NAME_MAX ? ERR_HTTP_SIZE : 0;
}

/* Fills *head from a head whose field lines have been checked: `first` is where its start line
 * begins, `last` its empty line. */
static int head_fill(const uint8_t *in, size_t first, size_t last,
                     int (*start)(struct str, struct http_head *), struct http_head *head)
{
    const uint8_t *lf = memchr(in + first, '\n', last - first);
    size_t at = (size_t)(lf - in) + 1;
    struct str rest, name, value;
    unsigned count = 0;
    int err;

    memset(head, 0, sizeof *head);
    err = start((struct str){ in + first, at - 2 - first }, head);
    if (err < 0)
        return err;
    head->fields = (struct str){ in + at, last - at };
    rest = head->fields;
    while (http_field_next(&rest, &name, &value)) {
        if (++count > HTTP_FIELDS_MAX)
            return ERR_HTTP_SIZE;
    }
    head->len = last + 2;
    return (int)head->len;
}

/* The start of the line that holds byte `at`. */
static size_t line_start(const uint8_t *in, size_t at)
{
    while (at > 0 && in[at - 1] != '\n')
        at--;
    return at;
}

/* Checks every line that ended since the last call, so that each is looked at once. `first` is
 * where the start line begins. */
static int head_parse(const uint8_t *in, size_t n, size_t from, size_t first,
                      int (*start)(struct str, struct http_head *), struct http_head *head)
{
    size_t at = from > first ? from : first;

    while (at < n) {
        const uint8_t *lf = memchr(in + at, '\n', n - at);
        size_t begin;
        size_t end;
        int err;

        if (lf == NULL)
            return 0;
        begin = line_start(in, at);
        end = (size_t)(lf - in);
        /* RFC 9112 section 2.2 lets a recipient take a bare LF for a line's end; others do not. */
        if (end == begin || in[end - 1] != '\r')
            return ERR_HTTP;
        if (end - 1 == begin)
            return begin == first ? ERR_HTTP : head_fill(in, first, begin, start, head);
        err = begin == first ? start((struct str){ in + begin, end - 1 - begin }, head)
                             : field_line((struct str){ in + begin, end - 1 - begin });
        if (err < 0)
            return err;
        at = end + 1;
    }
    return 0;
}

int http_request_parse(const uint8_t *in, size_t n, size_t from, struct http_head *head)
{
    /* RFC 9112 section 2.2: an empty line that an old client sends after a body. */
    size_t first = n >= 2 && in[0] == '\r' && in[1] == '\n' ? 2 : 0;

    if (n == 1 && in[0] == '\r')
        return 0;
    return head_parse(in, n, from, first, request_line, head);
}

int http_response_parse(const uint8_t *in, size_t n, size_t from, struct http_head *head)
{
    return head_parse(in, n, from, 0, status_line, head);
}
