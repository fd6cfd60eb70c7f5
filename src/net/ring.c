/* A pair of memory files: their layout, making and mapping them. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ring_inner.h"

static_assert(sizeof(struct ring_cell) == 16 + RING_META_MAX, "cells are packed");
static_assert(RETURNS >= PAIR_SLOTS, "every slot can be on its way back at once");
static_assert(ATOMIC_INT_LOCK_FREE == 2, "atomics without locks work between processes");

unsigned
ring_class_of(uint32_t index)
{
    for (unsigned c = 0; c < CLASSES - 1; c++) {
        if (index < ring_classes[c].count)
            return c;
        index -= ring_classes[c].count;
    }
    return CLASSES - 1;
}

size_t
ring_slot_at(uint32_t index)
{
    size_t at = SLOTS_AT;

    for (unsigned c = 0; c < CLASSES; c++) {
        const struct ring_class *k = &ring_classes[c];

        if (index < k->count)
            return at + (size_t)index * k->size;
        at += (size_t)k->count * k->size;
        index -= k->count;
    }
    return at;
}

size_t
ring_answers_size(void)
{
    return ring_slot_at(PAIR_SLOTS);
}

/* A memory file of fixed size: *writable and *readable are two descriptors of it.  The second comes
 * from opening the file anew, for what is open for reading and writing stays so when duplicated. */
static int
make_file(const char *name, size_t size, int *writable, int *readable, struct err *e)
{
    char path[64];
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return err_set_sys(e, errno, "cannot make a memory file");
    *writable = fd;
    /* Its size must not change: touching memory beyond the end kills the one who does. */
    if (ftruncate(fd, (off_t)size) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return err_set_sys(e, errno, "cannot size a memory file");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    *readable = open(path, O_RDONLY | O_CLOEXEC);
    if (*readable < 0)
        return err_set_sys(e, errno, "cannot open a memory file for reading (is /proc there?)");
    return 0;
}

static int
make_wake(int *a, int *b, struct err *e)
{
    *a = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (*a < 0)
        return err_set_sys(e, errno, "cannot make an event descriptor");
    *b = fcntl(*a, F_DUPFD_CLOEXEC, 3);
    if (*b < 0)
        return err_set_sys(e, errno, "cannot duplicate an event descriptor");
    return 0;
}

int
ring_create(struct ring_fds *front, struct ring_fds *reader, struct err *e)
{
    struct ring_fds f = RING_FDS_NONE, r = RING_FDS_NONE;

    *front = *reader = RING_FDS_NONE;
    if (make_file("jaga-requests", sizeof(struct front_memory), &f.requests, &r.requests, e) < 0 ||
        make_file("jaga-answers", ring_answers_size(), &r.answers, &f.answers, e) < 0 ||
        make_wake(&f.wake_front, &r.wake_front, e) < 0 ||
        make_wake(&f.wake_reader, &r.wake_reader, e) < 0) {
        ring_fds_close(&f);
        ring_fds_close(&r);
        return -1;
    }
    *front = f;
    *reader = r;
    return 0;
}

void
ring_fds_close(struct ring_fds *fds)
{
    int *const all[] = {&fds->requests, &fds->answers, &fds->wake_front, &fds->wake_reader};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

void *
ring_map(int fd, size_t size, bool writable, struct err *e)
{
    struct stat st;
    void *p;

    if (fstat(fd, &st) < 0 || st.st_size != (off_t)size) {
        err_set(e, ERR_PROTOCOL, "a ring's memory file has another size");
        return NULL;
    }
    p = mmap(NULL, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        err_set_sys(e, errno, "cannot map a ring");
        return NULL;
    }
    return p;
}

void
ring_unmap(void *p, size_t size)
{
    if (p != NULL)
        munmap(p, size);
}

void
ring_wake(int eventfd)
{
    const uint64_t one = 1;

    /* Full (a sibling that was taken over can fill it) is EAGAIN: then it gets no more edges, and
     * its own pair stands still. */
    if (write(eventfd, &one, sizeof one) < 0)
        return;
}
