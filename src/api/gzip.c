#include "gzip.h"

#include <string.h>
#define ZLIB_CONST /* it reads its input, and says so then */
#include <zlib.h>
#include "crypto.h"
#include "mem.h"

#define WINDOW   (15 + 16) /* zlib: the largest window, and gzip's frame */
#define LEVEL    1         /* three times as fast as the usual 6, for a tenth more bytes */
#define MEMORY   8         /* zlib's usual: 256 KB while a page is coded */
#define BLUR_MAX 64        /* bytes of the comment */

static voidpf
zalloc(voidpf ctx, uInt count, uInt size)
{
    (void)ctx;
    return mem_zero(count, size);
}

static void
zfree(voidpf ctx, voidpf p)
{
    (void)ctx;
    mem_free(p);
}

static bool
weight_is_zero(struct span parameters)
{
    struct span part;

    while (span_split(&parameters, ';', &part)) {
        part = span_trim(part);
        if (part.n < 3 || (part.p[0] != 'q' && part.p[0] != 'Q') || part.p[1] != '=')
            continue;
        for (size_t i = 2; i < part.n; i++)
            if (part.p[i] != '0' && part.p[i] != '.')
                return false;
        return true;
    }
    return false;
}

bool
gzip_welcome(struct span accept)
{
    struct span part, name;
    bool any = false;

    while (span_split(&accept, ',', &part)) {
        if (!span_split(&part, ';', &name))
            continue;
        name = span_trim(name);
        if (span_eq_nocase(name, SPAN("gzip")) || span_eq_nocase(name, SPAN("x-gzip")))
            return !weight_is_zero(part); /* the closest word decides */
        if (span_is(name, "*"))
            any = !weight_is_zero(part);
    }
    return any;
}

bool
gzip_understood(struct span coding, bool *gzip)
{
    coding = span_trim(coding);
    *gzip = span_eq_nocase(coding, SPAN("gzip")) || span_eq_nocase(coding, SPAN("x-gzip"));
    return *gzip || coding.n == 0 || span_eq_nocase(coding, SPAN("identity"));
}

bool
gzip_put(struct span plain, struct buf *out)
{
    char blur[BLUR_MAX + 1];
    gz_header head = {.os = 255, .comment = (Bytef *)blur};
    z_stream z = {.zalloc = zalloc, .zfree = zfree};
    bool ok = false;
    uLong room;
    char *p;

    memset(blur, '.', sizeof blur);
    blur[random_below(BLUR_MAX + 1)] = '\0';
    if (plain.n > GZIP_MOST ||
        deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    if (deflateSetHeader(&z, &head) == Z_OK) {
        room = deflateBound(&z, (uLong)plain.n);
        p = buf_room(out, room);
        if (p) {
            z.next_in = (const Bytef *)plain.p;
            z.avail_in = (uInt)plain.n;
            z.next_out = (Bytef *)p;
            z.avail_out = (uInt)room;
            ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
            buf_cut(out, out->n - z.avail_out);
        }
    }
    (void)deflateEnd(&z);
    return ok;
}

struct gunzip {
    z_stream z;
    bool begun;   /* in the middle of a member */
    bool some;    /* at least one has ended */
    bool pending; /* more can come out without anything going in */
};

struct gunzip *
gunzip_new(void)
{
    struct gunzip *g = mem_zero(1, sizeof *g);

    if (!g)
        return NULL;
    g->z.zalloc = zalloc;
    g->z.zfree = zfree;
    if (inflateInit2(&g->z, WINDOW) != Z_OK) {
        mem_free(g);
        return NULL;
    }
    return g;
}

void
gunzip_free(struct gunzip *g)
{
    if (!g)
        return;
    (void)inflateEnd(&g->z);
    mem_free(g);
}

int
gunzip_step(struct gunzip *g, struct span *in, struct buf *out, struct err *e)
{
    while (out->n < out->cap && (in->n || g->pending)) {
        size_t take = in->n < GZIP_MOST ? in->n : GZIP_MOST, room = out->cap - out->n;
        int r;

        g->z.next_in = (const Bytef *)in->p;
        g->z.avail_in = (uInt)take;
        g->z.next_out = (Bytef *)out->p + out->n;
        g->z.avail_out = (uInt)(room < GZIP_MOST ? room : GZIP_MOST);
        room = g->z.avail_out;
        r = inflate(&g->z, Z_NO_FLUSH);
        (void)buf_room(out, room - g->z.avail_out); /* what zlib has filled */
        *in = span_part(*in, take - g->z.avail_in, in->n);
        g->begun = true;
        g->pending = g->z.avail_out == 0 && r != Z_STREAM_END;
        if (r == Z_STREAM_END) {
            g->begun = false;
            g->some = true;
            (void)inflateReset(&g->z); /* RFC 1952 section 2.2: members may follow one another */
        } else if (r == Z_MEM_ERROR) {
            return err_set(e, ERR_MEMORY, "out of memory");
        } else if (r == Z_BUF_ERROR) {
            break; /* there was nothing more, after all */
        } else if (r != Z_OK) {
            return err_set(e, ERR_ENCODING, "the body is not gzip, or is damaged");
        }
    }
    return 0;
}

bool
gunzip_whole(const struct gunzip *g)
{
    return g->some && !g->begun;
}
