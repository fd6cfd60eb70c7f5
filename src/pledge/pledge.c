#include "pledge.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map.h"
#include "mem.h"

#define KEY_TAG      "jaga sign key 1 "
#define KEY_LINE     (sizeof KEY_TAG - 1 + 2 * KEY_BYTES + 1)
#define RECORD_TAG   "jaga signed 1\n" /* the file begins with it */
#define ENTRY_BYTES  (1 + HASH_BYTES + 8 + HASH_BYTES + CHECK_BYTES)
#define CHECK_BYTES  8
#define LOGIN_TAG    "jaga/login/1"
#define READ_ENTRIES 1024 /* read at once */

/* The numbers are stored. */
enum slot_kind { SLOT_HEAD = 1, SLOT_RECEIPT, SLOT_CIRCLE };

struct slot { /* what was signed last under one name */
    uint8_t kind;
    struct hash name;
    uint64_t number; /* size, or order */
    struct hash value;
};

struct pledge {
    int fd;      /* of the record; -1: lost */
    bool broken; /* it could not be written: nobody knows what of it is on disk */
    int folder;
    struct sign_secret secret;
    struct sign_public public;
    struct map *at; /* kind and name -> index into slots, from 1 */
    struct slot *slots;
    size_t n, cap;
    off_t end; /* of what is synced */
};

/* -- slots -- */

static struct span
slot_key(uint8_t kind, const struct hash *name, char out[1 + HASH_BYTES])
{
    out[0] = (char)kind;
    memcpy(out + 1, name->b, HASH_BYTES);
    return (struct span){out, 1 + HASH_BYTES};
}

static struct slot *
slot_find(const struct pledge *p, uint8_t kind, const struct hash *name)
{
    char key[1 + HASH_BYTES];
    uint64_t at;

    return map_get(p->at, slot_key(kind, name, key), &at) ? &p->slots[at - 1] : NULL;
}

static int
slot_put(struct pledge *p, const struct slot *s, struct err *e)
{
    struct slot *known = slot_find(p, s->kind, &s->name), *grown;
    char key[1 + HASH_BYTES];
    size_t cap;

    if (known != NULL) {
        *known = *s;
        return 0;
    }
    if (p->n == PLEDGES_MAX)
        return err_set(e, ERR_LIMIT, "too many streams were signed for");
    if (p->n == p->cap) {
        cap = p->cap == 0 ? 64 : p->cap * 2;
        grown = mem_resize(p->slots, cap * sizeof *grown);
        if (grown == NULL)
            return err_set(e, ERR_MEMORY, "no memory for what was signed");
        p->slots = grown;
        p->cap = cap;
    }
    if (map_put(p->at, slot_key(s->kind, &s->name, key), p->n + 1, NULL) < 0)
        return err_set(e, ERR_MEMORY, "no memory for what was signed");
    p->slots[p->n++] = *s;
    return 0;
}

/* -- the record -- */

static void
check_of(struct span entry, uint8_t out[CHECK_BYTES])
{
    const struct span parts[] = {SPAN(RECORD_TAG), entry};
    struct hash h;

    hash_sha256_parts(parts, 2, &h);
    memcpy(out, h.b, CHECK_BYTES);
}

static void
slot_encode(const struct slot *s, struct buf *out)
{
    const size_t from = out->n;
    uint8_t check[CHECK_BYTES];

    buf_u8(out, s->kind);
    buf_put(out, s->name.b, HASH_BYTES);
    buf_u64(out, s->number);
    buf_put(out, s->value.b, HASH_BYTES);
    if (out->failed)
        return;
    check_of((struct span){out->p + from, out->n - from}, check);
    buf_put(out, check, sizeof check);
}

static bool
slot_decode(const char *p, struct slot *s)
{
    struct reader r = reader_of((struct span){p, ENTRY_BYTES});
    uint8_t check[CHECK_BYTES];

    check_of((struct span){p, ENTRY_BYTES - CHECK_BYTES}, check);
    if (memcmp(check, p + ENTRY_BYTES - CHECK_BYTES, CHECK_BYTES) != 0)
        return false;
    s->kind = reader_u8(&r);
    reader_copy(&r, s->name.b, HASH_BYTES);
    s->number = reader_u64(&r);
    reader_copy(&r, s->value.b, HASH_BYTES);
    return s->kind >= SLOT_HEAD && s->kind <= SLOT_CIRCLE;
}

static int
write_all(int fd, const char *p, size_t n, off_t at)
{
    while (n > 0) {
        const ssize_t w = pwrite(fd, p, n, at);

        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return -1;
        p += w;
        n -= (size_t)w;
        at += w;
    }
    return 0;
}

/* Exactly n bytes, or as many as there are. */
static ssize_t
read_all(int fd, char *p, size_t n, off_t at)
{
    size_t got = 0;

    while (got < n) {
        const ssize_t r = pread(fd, p + got, n - got, at + (off_t)got);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -1;
        if (r == 0)
            break;
        got += (size_t)r;
    }
    return (ssize_t)got;
}

/* Slots become what is on disk; on failure what follows the synced end is not believed, and nothing
 * is signed any more: only a new start tells what the disk holds. */
static int
record_append(struct pledge *p, const struct slot *list, size_t n, struct err *e)
{
    struct buf b;
    int rc = 0;

    buf_init(&b, ENTRY_BYTES * (n + 1));
    for (size_t i = 0; i < n; i++)
        slot_encode(&list[i], &b);
    if (b.failed)
        rc = err_set(e, ERR_MEMORY, "no memory for what is to be signed");
    else if (write_all(p->fd, b.p, b.n, p->end) != 0 || fdatasync(p->fd) != 0) {
        rc = err_set_sys(e, errno, "what was signed cannot be recorded");
        if (e != NULL && (e->sys == ENOSPC || e->sys == EDQUOT))
            e->code = ERR_FULL;
        p->broken = true;
    } else {
        p->end += (off_t)b.n;
        for (size_t i = 0; i < n && rc == 0; i++)
            rc = slot_put(p, &list[i], e);
    }
    buf_clear(&b);
    return rc;
}

static int
damaged(size_t at, struct err *e)
{
    err_set(e, ERR_CORRUPT,
            "the record of what was signed is damaged: nothing may be signed with this key");
    return err_place(e, "entry %zu of " PLEDGE_RECORD_FILE, at);
}

/* All entries; one that is cut off or torn at the very end was never answered. */
static int
record_read(struct pledge *p, struct err *e)
{
    const size_t room = ENTRY_BYTES * READ_ENTRIES;
    char *part = mem_alloc(room);
    off_t at = sizeof RECORD_TAG - 1;
    ssize_t n = 0;
    int rc = 0;

    if (part == NULL)
        return err_set(e, ERR_MEMORY, "no memory for what was signed");
    n = read_all(p->fd, part, (size_t)at, 0);
    if (n != at || memcmp(part, RECORD_TAG, (size_t)at) != 0)
        rc = damaged(0, e);
    while (rc == 0 && (n = read_all(p->fd, part, room, at)) > 0) {
        const bool last = (size_t)n < room;

        for (ssize_t i = 0; rc == 0 && i + (ssize_t)ENTRY_BYTES <= n; i += ENTRY_BYTES) {
            struct slot s;

            if (slot_decode(part + i, &s)) {
                rc = slot_put(p, &s, e);
                at += ENTRY_BYTES;
            } else if (last && i + 2 * (ssize_t)ENTRY_BYTES > n) {
                n = 0; /* torn */
            } else {
                rc = damaged((size_t)(at - (off_t)sizeof RECORD_TAG + 1) / ENTRY_BYTES, e);
            }
        }
        if (last)
            break;
    }
    if (rc == 0 && n < 0)
        rc = err_set_sys(e, errno, "the record of what was signed cannot be read");
    if (rc == 0 && (ftruncate(p->fd, at) != 0 || fdatasync(p->fd) != 0))
        rc = err_set_sys(e, errno, "the record of what was signed cannot be used");
    p->end = at;
    mem_free(part);
    return rc;
}

static int
record_make(struct pledge *p, struct err *e)
{
    const int fd = openat(p->folder, PLEDGE_RECORD_FILE,
                          O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_set_sys(e, errno, "the record of what is signed cannot be made");
    if (write_all(fd, RECORD_TAG, sizeof RECORD_TAG - 1, 0) != 0 || fsync(fd) != 0 ||
        fsync(p->folder) != 0) {
        err_set_sys(e, errno, "the record of what is signed cannot be made");
        close(fd);
        (void)unlinkat(p->folder, PLEDGE_RECORD_FILE, 0);
        return -1;
    }
    p->fd = fd;
    p->end = sizeof RECORD_TAG - 1;
    return 0;
}

/* -- the key -- */

static int
key_write(int folder, const struct key *seed, struct err *e)
{
    char line[KEY_LINE];
    struct buf b;
    int fd, rc = 0;

    buf_init_fixed(&b, line, sizeof line);
    buf_str(&b, KEY_TAG);
    hex_put(&b, seed->b, sizeof seed->b);
    buf_str(&b, "\n");
    fd =
        openat(folder, PLEDGE_KEY_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        rc = errno == EEXIST ? err_set(e, ERR_CONFLICT, "there is a signing key already")
                             : err_set_sys(e, errno, "the signing key cannot be written");
    } else {
        if (write_all(fd, line, b.n, 0) != 0 || fsync(fd) != 0 || fsync(folder) != 0) {
            rc = err_set_sys(e, errno, "the signing key cannot be written");
            (void)unlinkat(folder, PLEDGE_KEY_FILE, 0);
        }
        close(fd);
    }
    mem_wipe(line, sizeof line);
    return rc;
}

static int
key_read(struct pledge *p, struct err *e)
{
    char line[KEY_LINE + 1];
    struct key seed;
    struct stat st;
    const int fd = openat(p->folder, PLEDGE_KEY_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n;
    int rc = 0;

    if (fd < 0)
        return errno == ENOENT ? err_set(e, ERR_MISSING, "there is no signing key")
                               : err_set_sys(e, errno, "the signing key cannot be read");
    if (fstat(fd, &st) != 0 || (st.st_mode & 077) != 0) {
        close(fd);
        return err_set(e, ERR_DENIED, "others may read the signing key: chmod 600 it");
    }
    n = read_all(fd, line, sizeof line, 0);
    close(fd);
    if (n != (ssize_t)KEY_LINE || memcmp(line, KEY_TAG, sizeof KEY_TAG - 1) != 0 ||
        line[KEY_LINE - 1] != '\n' ||
        !hex_read((struct span){line + sizeof KEY_TAG - 1, 2 * KEY_BYTES}, seed.b, sizeof seed.b))
        rc = err_set(e, ERR_CORRUPT, "the signing key is damaged");
    else
        sign_from_seed(&seed, &p->secret, &p->public);
    mem_wipe(line, sizeof line);
    key_wipe(&seed);
    return rc;
}

int
pledge_create(const char *folder, struct sign_public *out, struct err *e)
{
    struct pledge p = {.fd = -1};
    struct sign_secret secret;
    struct key seed;
    int rc;

    p.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p.folder < 0)
        return err_set_sys(e, errno, "the folder of the signing key cannot be opened");
    key_random(&seed);
    sign_from_seed(&seed, &secret, out);
    sign_wipe(&secret);
    rc = key_write(p.folder, &seed, e);
    key_wipe(&seed);
    if (rc == 0 && (rc = record_make(&p, e)) != 0)
        (void)unlinkat(p.folder, PLEDGE_KEY_FILE, 0);
    if (p.fd >= 0)
        close(p.fd);
    close(p.folder);
    return rc;
}

/* -- life -- */

int
pledge_open(const char *folder, struct pledge **out, struct err *e)
{
    struct pledge *p = mem_zero(1, sizeof *p);

    if (p == NULL || (p->at = map_new(PLEDGES_MAX)) == NULL) {
        mem_free(p);
        return err_set(e, ERR_MEMORY, "no memory for what was signed");
    }
    p->fd = -1;
    p->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->folder < 0) {
        err_set_sys(e, errno, "the folder of the signing key cannot be opened");
        goto failed;
    }
    if (flock(p->folder, LOCK_EX | LOCK_NB) != 0) {
        err_set(e, ERR_BUSY, "another process has the signing key");
        goto failed;
    }
    if (key_read(p, e) != 0)
        goto failed;
    p->fd = openat(p->folder, PLEDGE_RECORD_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (p->fd < 0 && errno != ENOENT) {
        err_set_sys(e, errno, "the record of what was signed cannot be opened");
        goto failed;
    }
    if (p->fd >= 0 && record_read(p, e) != 0)
        goto failed;
    *out = p;
    return 0;
failed:
    pledge_close(p);
    return -1;
}

void
pledge_close(struct pledge *p)
{
    if (p == NULL)
        return;
    sign_wipe(&p->secret);
    if (p->fd >= 0)
        close(p->fd);
    if (p->folder >= 0)
        close(p->folder); /* and with it the lock */
    map_free(p->at);
    mem_free(p->slots);
    mem_free(p);
}

const struct sign_public *
pledge_public(const struct pledge *p)
{
    return &p->public;
}

bool
pledge_lost(const struct pledge *p)
{
    return p->fd < 0;
}

int
pledge_anew(struct pledge *p, struct err *e)
{
    return p->fd >= 0 ? err_set(e, ERR_CONFLICT, "the record of what was signed is there")
                      : record_make(p, e);
}

/* -- signing -- */

static int
may_sign(const struct pledge *p, struct err *e)
{
    if (p->broken)
        return err_set(e, ERR_IO, "what was signed could not be recorded: start anew");
    return p->fd >= 0 ? 0
                      : err_set(e, ERR_CONFLICT,
                                "the record of what was signed is lost, so nothing is signed");
}

void
pledge_last_head(const struct pledge *p, const struct hash *stream, uint64_t *size,
                 struct hash *root)
{
    const struct slot *s = slot_find(p, SLOT_HEAD, stream);

    *size = s != NULL ? s->number : 0;
    if (s != NULL)
        *root = s->value;
    else
        hash_sha256((struct span){NULL, 0}, root);
}

static int
extends(const struct pledge *p, uint8_t kind, const struct hash *stream, uint64_t size,
        const struct hash *root, const struct merkle_proof *proof, struct err *e)
{
    const struct slot *last = slot_find(p, kind, stream);
    struct hash none;

    hash_sha256((struct span){NULL, 0}, &none);
    if (merkle_consistency_ok(proof, last != NULL ? last->number : 0,
                              last != NULL ? &last->value : &none, size, root))
        return 0;
    err_set(e, ERR_CONFLICT, "it does not extend what was signed before");
    return err_place(e, "stream %02x%02x%02x%02x", stream->b[0], stream->b[1], stream->b[2],
                     stream->b[3]);
}

int
pledge_heads(struct pledge *p, struct pledge_head *list, size_t n, struct err *e)
{
    const struct signer signer = signer_of(&p->secret);
    struct slot *slots;
    int rc = 0;

    if (may_sign(p, e) != 0)
        return -1;
    if (n > PLEDGE_HEADS_MAX)
        return err_set(e, ERR_LIMIT, "too many heads at once");
    slots = mem_zero(n + 1, sizeof *slots);
    if (slots == NULL)
        return err_set(e, ERR_MEMORY, "no memory for heads");
    for (size_t i = 0; i < n && rc == 0; i++) {
        const struct head *h = &list[i].head;

        for (size_t k = 0; k < i && rc == 0; k++) { /* two of one stream: which would come last? */
            if (hash_eq(&list[k].head.stream, &h->stream))
                rc = err_set(e, ERR_RANGE, "two heads of one stream");
        }
        if (rc == 0)
            rc = extends(p, SLOT_HEAD, &h->stream, h->size, &h->root, &list[i].proof, e);
        slots[i] = (struct slot){SLOT_HEAD, h->stream, h->size, h->root};
    }
    if (rc == 0 && n > 0)
        rc = record_append(p, slots, n, e);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = head_sign(&list[i].head, &signer, e);
    mem_free(slots);
    return rc;
}

int
pledge_receipt(struct pledge *p, struct receipt *r, const struct merkle_proof *proof, struct err *e)
{
    const struct signer signer = signer_of(&p->secret);
    const struct slot s = {SLOT_RECEIPT, r->stream, r->size, r->root};

    return may_sign(p, e) != 0 ||
                   extends(p, SLOT_RECEIPT, &r->stream, r->size, &r->root, proof, e) != 0 ||
                   record_append(p, &s, 1, e) != 0
               ? -1
               : receipt_sign(r, &signer, e);
}

int
pledge_circle(struct pledge *p, struct circle_mark *m, struct err *e)
{
    const struct signer signer = signer_of(&p->secret);
    struct slot s = {.kind = SLOT_CIRCLE, .number = m->order, .value = m->body};
    const struct slot *last;

    if (may_sign(p, e) != 0)
        return -1;
    memcpy(s.name.b, m->group, sizeof m->group);
    last = slot_find(p, SLOT_CIRCLE, &s.name);
    if (last != NULL &&
        (m->order < last->number || (m->order == last->number && !hash_eq(&m->body, &last->value))))
        return err_set(e, ERR_CONFLICT, "another version of that group was signed");
    if ((last == NULL || m->order != last->number) && record_append(p, &s, 1, e) != 0)
        return -1;
    return circle_mark_sign(m, &signer, e);
}

int
pledge_erase(struct pledge *p, struct erase_notice *n, struct err *e)
{
    const struct signer signer = signer_of(&p->secret);

    return may_sign(p, e) != 0 ? -1 : erase_notice_sign(n, &signer, e);
}

int
pledge_out(struct pledge *p, struct out_notice *n, struct err *e)
{
    const struct signer signer = signer_of(&p->secret);

    return may_sign(p, e) != 0 ? -1 : out_notice_sign(n, &signer, e);
}

/* -- logins -- */

static int
login_text(struct span nonce, const struct uuid *me, const struct uuid *peer, struct buf *out)
{
    char a[SAID_NAME + 1], b[SAID_NAME + 1];

    if (nonce.n != PLEDGE_NONCE_BYTES)
        return -1;
    identity_name(me, a);
    identity_name(peer, b);
    buf_str(out, LOGIN_TAG "\n");
    base64_put(out, nonce.p, nonce.n);
    buf_printf(out, "\nby %s\nat %s\n", a, b);
    return out->failed ? -1 : 0;
}

int
pledge_login(struct pledge *p, struct span nonce, const struct uuid *me, const struct uuid *peer,
             struct signature *out, struct err *e)
{
    char text[SAID_TEXT_MAX];
    struct buf b;

    buf_init_fixed(&b, text, sizeof text);
    if (login_text(nonce, me, peer, &b) != 0)
        return err_set(e, ERR_RANGE, "a nonce of another length");
    sign_make(&p->secret, buf_view(&b), out);
    return 0;
}

bool
pledge_login_ok(const struct sign_public *key, struct span nonce, const struct uuid *me,
                const struct uuid *peer, const struct signature *s)
{
    char text[SAID_TEXT_MAX];
    struct buf b;

    buf_init_fixed(&b, text, sizeof text);
    return login_text(nonce, me, peer, &b) == 0 && sign_ok(key, buf_view(&b), s);
}
