#include "identity.h"

#include <string.h>

#include "codec/ascii.h"
#include "err.h"
#include "sys/file.h"
#include "sys/options.h"

#define PATH_MAX_LEN 250

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The file that holds it, terminated; false when there is none of that name. */
static bool find_file(const char *from, uint8_t path[PATH_MAX_LEN])
{
    struct writer w;

    writer_init(&w, path, PATH_MAX_LEN);
    if (has_prefix(from, "mac:")) {
        writer_text(&w, "/sys/class/net/");
        writer_text(&w, from + 4);
        writer_text(&w, "/address");
    } else if (has_prefix(from, "file:")) {
        writer_text(&w, from + 5);
    } else {
        return false;
    }
    writer_u8(&w, '\0');
    return writer_fits(&w);
}

/* Of characters that need no escape in a message or a log; 0 with another one. */
static int valid_len(const uint8_t *text, int n)
{
    int i;

    for (i = 0; i < n && text[i] != '\n' && text[i] != '\0'; i++) {
        if (!ascii_is_tchar(text[i]) && text[i] != ':')
            return 0;
    }
    return i;
}

int identity_read(const char *from, uint8_t out[IDENTITY_MAX])
{
    uint8_t path[PATH_MAX_LEN];
    int n;

    if (!find_file(from, path))
        return options_error("--id-from: write mac:INTERFACE or file:PATH");
    n = file_read((const char *)path, out, IDENTITY_MAX);
    if (n < 0)
        return options_error("--id-from: that file cannot be read, or has more than 64 bytes");
    n = valid_len(out, n);
    return n > 0 ? n : options_error("--id-from: that is no word of ASCII letters and digits");
}
