#include "codec/http.h"

#include <string.h>

bool http_field_next(struct str *rest, struct str *name, struct str *value)
{
    struct str line;

    if (rest->n == 0)
        return false;
    line = str_take_until(rest, '\n');
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    *name = str_take_until(&line, ':');
    *value = str_trim(line);
    return true;
}

bool http_field_find(struct str fields, const char *name, struct str *value)
{
    struct str wanted = str_of(name);
    struct str found;

    while (http_field_next(&fields, &found, value)) {
        if (str_ieq(found, wanted))
            return true;
    }
    return false;
}

unsigned http_field_count(struct str fields, const char *name, struct str *first)
{
    struct str wanted = str_of(name);
    struct str found;
    struct str value;
    unsigned count = 0;

    while (http_field_next(&fields, &found, &value)) {
        if (str_ieq(found, wanted) && count++ == 0)
            *first = value;
    }
    return count;
}

bool http_list_next(struct str *rest, struct str *member)
{
    while (rest->n > 0) {
        *member = str_trim(str_take_until(rest, ','));
        if (member->n > 0)
            return true;
    }
    return false;
}

bool http_list_has(struct str list, struct str member)
{
    struct str found;

    while (http_list_next(&list, &found)) {
        if (str_ieq(found, member))
            return true;
    }
    return false;
}

bool http_field_lists(struct str fields, const char *name, const char *member)
{
    struct str wanted = str_of(name);
    struct str found;
    struct str value;

    while (http_field_next(&fields, &found, &value)) {
        if (str_ieq(found, wanted) && http_list_has(value, str_of(member)))
            return true;
    }
    return false;
}

bool http_is_hop_by_hop(struct str name)
{
    static const char names[] = "connection\0keep-alive\0proxy-connection\0te\0trailer\0"
                                "transfer-encoding\0upgrade";
    enum { NAMES = 7 };

    return texts_find(names, NAMES, name, str_ieq) < NAMES;
}

/* "CODE" and phrase, each ended by NUL. RFC 9110 section 15, and 428, 429, 431, 511 of RFC 6585. */
const char *http_reason(unsigned status)
{
    static const char phrases[] =
        "100Continue\0" "101Switching Protocols\0" "103Early Hints\0"
        "200OK\0" "201Created\0" "202Accepted\0" "203Non-Authoritative Information\0"
        "204No Content\0" "205Reset Content\0" "206Partial Content\0" "207Multi-Status\0"
        "300Multiple Choices\0" "301Moved Permanently\0" "302Found\0" "303See Other\0"
        "304Not Modified\0" "305Use Proxy\0" "307Temporary Redirect\0" "308Permanent Redirect\0"
        "400Bad Request\0" "401Unauthorized\0" "402Payment Required\0" "403Forbidden\0"
        "404Not Found\0" "405Method Not Allowed\0" "406Not Acceptable\0"
        "407Proxy Authentication Required\0" "408Request Timeout\0" "409Conflict\0" "410Gone\0"
        "411Length Required\0" "412Precondition Failed\0" "413Content Too Large\0"
        "414URI Too Long\0" "415Unsupported Media Type\0" "416Range Not Satisfiable\0"
        "417Expectation Failed\0" "421Misdirected Request\0" "422Unprocessable Content\0"
        "423Locked\0" "426Upgrade Required\0" "428Precondition Required\0"
        "429Too Many Requests\0" "431Request Header Fields Too Large\0"
        "500Internal Server Error\0" "501Not Implemented\0" "502Bad Gateway\0"
        "503Service Unavailable\0" "504Gateway Timeout\0" "505HTTP Version Not Supported\0"
        "507Insufficient Storage\0" "511Network Authentication Required\0";
    const char *at = phrases;

    for (; *at != '\0'; at += strlen(at) + 1) {
        if ((unsigned)(at[0] - '0') * 100 + (unsigned)(at[1] - '0') * 10 +
                (unsigned)(at[2] - '0') == status)
            return at + 3;
    }
    return "";
}
