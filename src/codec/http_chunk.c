#include "codec/http.h"

#include <string.h>

#include "codec/ascii.h"
#include "err.h"

/* RFC 9112 section 7.1:
 *
 * SIZE --;--> EXT    SIZE, EXT --CR--> SIZE_LF --LF--> DATA, or LINE after the last chunk
 * DATA --all--> DATA_CR --CR--> DATA_LF --LF--> SIZE
 * LINE (start of a trailer line) --tchar--> NAME --:--> VALUE --CR--> VALUE_LF --LF--> LINE
 * LINE --CR--> END_LF --LF--> done
 */
enum state {
    SIZE, EXT_SPACE, EXT, SIZE_LF, DATA, DATA_CR, DATA_LF,
    LINE, NAME, VALUE, VALUE_LF, END_LF, FAILED,
};

/* A chunk size may not exceed what a Content-Length may say; 16 digits cannot wrap 64 bits. */
#define SIZE_DIGITS_MAX 16

static int step_size(struct http_chunk *c, uint8_t byte)
{
    int digit = ascii_hex_value(byte);

    if (digit >= 0) {
        if (c->digits == SIZE_DIGITS_MAX)
            return FAILED;
        c->digits++;
        c->left = c->left << 4 | (unsigned)digit;
        return c->left > INT64_MAX ? FAILED : SIZE;
    }
    if (c->digits == 0)
        return FAILED;
    if (byte == '\r')
        return SIZE_LF;
    if (byte == ';')
        return EXT;
    /* Section 7.1.1: white space may stand before the semicolon only. */
    return byte == ' ' || byte == '\t' ? EXT_SPACE : FAILED;
}

static int step_ext_space(uint8_t byte)
{
    if (byte == ';')
        return EXT;
    return byte == ' ' || byte == '\t' ? EXT_SPACE : FAILED;
}

static bool is_text(uint8_t byte)
{
    return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

static int step_size_lf(struct http_chunk *c, uint8_t byte)
{
    if (byte != '\n')
        return FAILED;
    c->digits = 0;
    c->line = 0;
    return c->left > 0 ? DATA : LINE;
}

static int step_line(uint8_t byte)
{
    if (byte == '\r')
        return END_LF;
    return ascii_is_tchar(byte) ? NAME : FAILED;
}

/* The next state after one byte that is not data. */
static int step(struct http_chunk *c, uint8_t byte)
{
    switch (c->state) {
    case SIZE:
        return step_size(c, byte);
    case EXT_SPACE:
        return step_ext_space(byte);
    case EXT:
        return byte == '\r' ? SIZE_LF : is_text(byte) ? EXT : FAILED;
    case SIZE_LF:
        return step_size_lf(c, byte);
    case DATA_CR:
        return byte == '\r' ? DATA_LF : FAILED;
    case DATA_LF:
        return byte == '\n' ? SIZE : FAILED;
    case LINE:
        return step_line(byte);
    case NAME:
        return byte == ':' ? VALUE : ascii_is_tchar(byte) ? NAME : FAILED;
    case VALUE:
        return byte == '\r' ? VALUE_LF : is_text(byte) ? VALUE : FAILED;
    case VALUE_LF:
        c->line = 0;
        return byte == '\n' ? LINE : FAILED;
    case END_LF:
        c->done = byte == '\n';
        return c->done ? END_LF : FAILED;
    default:
        return FAILED;
    }
}

/* Size lines and trailers are framing, not content: without a bound a peer could send them for
 * ever and no progress of the body would show. */
static bool within_bounds(struct http_chunk *c)
{
    if (c->state >= LINE && ++c->trailer > HTTP_TRAILER_MAX)
        return false;
    return ++c->line <= HTTP_CHUNK_LINE_MAX;
}

static size_t take_data(struct http_chunk *c, uint8_t *to, const uint8_t *from, size_t n)
{
    size_t len = n < c->left ? n : (size_t)c->left;

    if (to != from)
        memmove(to, from, len);
    c->left -= len;
    if (c->left == 0)
        c->state = DATA_CR;
    return len;
}

int http_chunk_decode(struct http_chunk *c, uint8_t *p, size_t n, size_t *data_len)
{
    size_t at = 0;

    *data_len = 0;
    while (at < n && !c->done) {
        if (c->state == DATA) {
            size_t len = take_data(c, p + *data_len, p + at, n - at);

            *data_len += len;
            at += len;
            continue;
        }
        c->state = (uint8_t)(within_bounds(c) ? step(c, p[at]) : FAILED);
        if (c->state == FAILED)
            return ERR_HTTP;
        at++;
    }
    return c->state == FAILED ? ERR_HTTP : (int)at;
}

size_t http_chunk_head(uint32_t len, uint8_t out[HTTP_CHUNK_HEAD_MAX])
{
    size_t n = 1;

    while (n < 8 && len >> (4 * n) != 0)
        n++;
    for (size_t i = 0; i < n; i++)
        out[i] = ascii_hex_digit(len >> (4 * (n - 1 - i)));
    out[n] = '\r';
    out[n + 1] = '\n';
    return n + 2;
}
