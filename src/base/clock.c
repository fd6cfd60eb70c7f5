#include "clock.h"

#include <time.h>

#define DAY_S    86400
#define US_PER_S 1000000
#define YEAR_MAX 9999

/* Seconds of 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: the years that can be written. */
#define SEC_MIN (-62135596800)
#define SEC_MAX 253402300799

int64_t
clock_wall_us(const struct clock *c)
{
    struct timespec t;

    if (c != NULL && c->wall_us != 0)
        return c->wall_us;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

struct mono
clock_mono(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (struct mono){(int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000};
}

static bool
leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar.  Years are counted from March, so that
 * the day that comes and goes is the last one of a year. */
static int64_t
days_of(int64_t y, unsigned m, unsigned d)
{
    int64_t era_year = m > 2 ? y : y - 1;
    unsigned month = m > 2 ? m - 3 : m + 9;
    int64_t era = era_year / 400; /* years are positive here */
    int64_t yoe = era_year - era * 400;
    int64_t doy = (153 * month + 2) / 5 + d - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
date_of(int64_t days, int *y, unsigned *m, unsigned *d)
{
    int64_t z = days + 719468;
    int64_t era = z / 146097; /* z is positive for all years from 0001 on */
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t month = (5 * doy + 2) / 153;

    *d = (unsigned)(doy - (153 * month + 2) / 5 + 1);
    *m = (unsigned)(month < 10 ? month + 3 : month - 9);
    *y = (int)(yoe + era * 400 + (*m <= 2));
}

/* n digits at the front of *s as a number; false if there are fewer. */
static bool
digits_of(struct span *s, size_t n, unsigned *out)
{
    unsigned v = 0;

    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned digit = (unsigned char)s->p[i] - (unsigned)'0';

        if (digit > 9)
            return false;
        v = v * 10 + digit;
    }
    *s = span_part(*s, n, SIZE_MAX);
    *out = v;
    return true;
}

static bool
take(struct span *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = span_part(*s, 1, SIZE_MAX);
    return true;
}

static bool
read_date(struct span *s, int64_t *days)
{
    static const unsigned char month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned y;
    unsigned m;
    unsigned d;

    if (!digits_of(s, 4, &y) || !take(s, '-') || !digits_of(s, 2, &m) || !take(s, '-') ||
        !digits_of(s, 2, &d))
        return false;
    if (y < 1 || m < 1 || m > 12 || d < 1)
        return false;
    if (d > month_days[m - 1] + (unsigned)(m == 2 && leap(y)))
        return false;
    *days = days_of(y, m, d);
    return true;
}

static bool
read_time(struct span *s, bool lenient, unsigned *seconds)
{
    unsigned h;
    unsigned m;
    unsigned sec;

    if (!digits_of(s, 2, &h) || !take(s, ':') || !digits_of(s, 2, &m) || !take(s, ':') ||
        !digits_of(s, 2, &sec))
        return false;
    /* RFC 3339 knows second 60.  Our instants have no leap seconds: read as the next second, such
     * a timestamp would equal another one that is written differently, and order by instant would
     * no longer be order by time.  So the strict form refuses it (none has been announced since
     * 2016); the lenient one, which only sets a place to start from, takes it. */
    if (h > 23 || m > 59 || sec > (lenient ? 60u : 59u))
        return false;
    *seconds = h * 3600 + m * 60 + sec;
    return true;
}

static bool
read_fraction(struct span *s, uint32_t *nsec, unsigned *digits)
{
    uint32_t scale = 100000000;

    *nsec = 0;
    *digits = 0;
    if (!take(s, '.'))
        return true;
    while (s->n > 0 && s->p[0] >= '0' && s->p[0] <= '9') {
        *nsec += (uint32_t)(s->p[0] - '0') * scale;
        scale /= 10; /* 0 from the tenth digit on */
        ++*digits;
        *s = span_part(*s, 1, SIZE_MAX);
    }
    return *digits > 0;
}

/* The seconds by which local time is ahead of UTC. */
static bool
read_zone(struct span *s, bool lenient, int *ahead)
{
    unsigned h;
    unsigned m;
    bool minus;

    *ahead = 0;
    if (take(s, 'Z'))
        return true;
    if (!lenient)
        return false;
    if (take(s, 'z'))
        return true;
    minus = take(s, '-');
    if (!minus && !take(s, '+') && !take(s, ' ')) /* an unencoded plus in a query is a space */
        return false;
    if (!digits_of(s, 2, &h) || !take(s, ':') || !digits_of(s, 2, &m) || h > 23 || m > 59)
        return false;
    *ahead = (int)(h * 3600 + m * 60);
    if (minus)
        *ahead = -*ahead;
    return true;
}

bool
instant_read(struct span s, bool lenient, struct instant *out, unsigned *digits)
{
    int64_t days;
    unsigned seconds;
    uint32_t nsec;
    unsigned n;
    int ahead;
    int64_t sec;

    if (!read_date(&s, &days))
        return false;
    if (!take(&s, 'T') && !(lenient && (take(&s, 't') || take(&s, ' '))))
        return false;
    if (!read_time(&s, lenient, &seconds) || !read_fraction(&s, &nsec, &n) ||
        !read_zone(&s, lenient, &ahead) || s.n != 0)
        return false;
    sec = days * DAY_S + seconds - ahead;
    if (sec < SEC_MIN || sec > SEC_MAX) /* an offset, or second 60, led out of the years */
        return false;
    *out = (struct instant){sec, nsec};
    if (digits != NULL)
        *digits = n;
    return true;
}

int
instant_cmp(struct instant a, struct instant b)
{
    if (a.sec != b.sec)
        return a.sec < b.sec ? -1 : 1;
    return (a.nsec > b.nsec) - (a.nsec < b.nsec);
}

struct instant
instant_from_us(int64_t us)
{
    int64_t sec = us / US_PER_S;
    int64_t rest = us % US_PER_S;

    if (rest < 0) {
        rest += US_PER_S;
        sec--;
    }
    return (struct instant){sec, (uint32_t)rest * 1000};
}

int64_t
instant_us(struct instant t)
{
    int64_t us;

    if (__builtin_mul_overflow(t.sec, (int64_t)US_PER_S, &us) ||
        __builtin_add_overflow(us, (int64_t)(t.nsec / 1000), &us))
        return t.sec < 0 ? INT64_MIN : INT64_MAX;
    return us;
}

static char *
put_digits(char *at, unsigned v, unsigned n)
{
    for (unsigned i = n; i > 0; i--) {
        at[i - 1] = (char)('0' + v % 10);
        v /= 10;
    }
    return at + n;
}

void
instant_print(struct instant t, unsigned digits, char *out)
{
    int64_t days;
    unsigned rest;
    int y;
    unsigned m;
    unsigned d;

    /* What has no four-digit year is shown as the first or last instant that has one. */
    if (t.sec < SEC_MIN)
        t = (struct instant){SEC_MIN, 0};
    if (t.sec > SEC_MAX)
        t = (struct instant){SEC_MAX, 999999999};
    days = t.sec / DAY_S - (t.sec % DAY_S < 0);
    rest = (unsigned)(t.sec - days * DAY_S);
    date_of(days, &y, &m, &d);
    out = put_digits(out, (unsigned)y, 4);
    *out++ = '-';
    out = put_digits(out, m, 2);
    *out++ = '-';
    out = put_digits(out, d, 2);
    *out++ = 'T';
    out = put_digits(out, rest / 3600, 2);
    *out++ = ':';
    out = put_digits(out, rest / 60 % 60, 2);
    *out++ = ':';
    out = put_digits(out, rest % 60, 2);
    if (digits > 9)
        digits = 9;
    if (digits > 0) {
        uint32_t frac = t.nsec;

        for (unsigned i = digits; i < 9; i++)
            frac /= 10;
        *out++ = '.';
        out = put_digits(out, frac, digits);
    }
    *out++ = 'Z';
    *out = '\0';
}

bool
duration_read(struct span s, int64_t *us)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}, {'w', 7 * DAY_S}};
    uint64_t n;

    if (s.n < 2 || !span_u64(span_part(s, 0, s.n - 1), INT64_MAX, &n))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        int64_t v;

        if (units[i].unit != s.p[s.n - 1])
            continue;
        if (__builtin_mul_overflow((int64_t)n, units[i].seconds * US_PER_S, &v))
            return false;
        *us = v;
        return true;
    }
    return false;
}
