#include "date.h"

static void put_two(struct writer *w, int64_t n)
{
    writer_u8(w, (uint8_t)('0' + n / 10 % 10));
    writer_u8(w, (uint8_t)('0' + n % 10));
}

static void put_name(struct writer *w, const char *names, int64_t at)
{
    writer_bytes(w, names + 3 * at, 3);
}

/* Years begin with March here, so that the leap day is a year's last (all of this from day 0 of
 * the year 0, which is 719468 days before 1970). */
static void put_day(struct writer *w, int64_t days)
{
    int64_t since = days + 719468;
    int64_t era = since / 146097, of_era = since % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;

    put_name(w, "ThuFriSatSunMonTueWed", days % 7);
    writer_text(w, ", ");
    put_two(w, of_year - (153 * month + 2) / 5 + 1);
    writer_u8(w, ' ');
    put_name(w, "MarAprMayJunJulAugSepOctNovDecJanFeb", month);
    writer_u8(w, ' ');
    year += 400 * era + (month >= 10);
    put_two(w, year / 100);
    put_two(w, year);
}

void date_write(struct writer *w, int64_t unix_now)
{
    int64_t second = unix_now % 86400;

    put_day(w, unix_now / 86400);
    writer_u8(w, ' ');
    put_two(w, second / 3600);
    writer_u8(w, ':');
    put_two(w, second / 60 % 60);
    writer_u8(w, ':');
    put_two(w, second % 60);
    writer_text(w, " GMT");
}
