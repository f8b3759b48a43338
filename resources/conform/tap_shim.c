/*
 * Loaded into QEMU by `ringscope conform --live`: plays the TUN driver for descriptors that are socket pairs, so that -netdev tap works without
 * a kernel interface and without rights.  RINGSCOPE_TAP_FDS names the descriptors (a:b:c), RINGSCOPE_TAP_VNET is 1 with virtio_net_hdr,
 * RINGSCOPE_TAP_LOG is a descriptor that hears what QEMU asks for, as lines "queue what value".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MOST 64

static int fds[MOST], count = -1, flags, log_fd = -1;

static void set_up(void)
{
    const char *text = getenv("RINGSCOPE_TAP_FDS");

    count = 0;
    if (text) {
        char *copy = strdup(text), *rest = copy, *one;

        while (count < MOST && (one = strsep(&rest, ":")))
            fds[count++] = atoi(one);
        free(copy);
    }
    text = getenv("RINGSCOPE_TAP_VNET");
    flags = IFF_TAP | IFF_NO_PI | (text && *text == '1' ? IFF_VNET_HDR : 0) | (count > 1 ? IFF_MULTI_QUEUE : 0);
    text = getenv("RINGSCOPE_TAP_LOG");
    if (text)
        log_fd = atoi(text);
}

static int queue_of(int fd)
{
    if (count < 0)
        set_up();
    for (int i = 0; i < count; i++)
        if (fds[i] == fd)
            return i;
    return -1;
}

static int tell(int queue, const char *what, unsigned long value)
{
    char line[96];
    int length = snprintf(line, sizeof line, "%d %s %lu\n", queue, what, value);

    if (log_fd >= 0 && write(log_fd, line, length) < 0)
        return 0;
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    static int (*real)(int, unsigned long, ...);
    va_list list;
    void *arg;
    int queue = queue_of(fd);

    va_start(list, request);
    arg = va_arg(list, void *);
    va_end(list);
    if (queue >= 0) {
        struct ifreq *ifr = arg;

        switch (request) {
        case TUNGETIFF:
            memset(ifr, 0, sizeof *ifr);
            strcpy(ifr->ifr_name, "tap0");
            ifr->ifr_flags = flags;
            return 0;
        case TUNGETFEATURES:
            *(unsigned *)arg = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE | IFF_ONE_QUEUE;
            return 0;
        case TUNSETOFFLOAD:
            return tell(queue, "offload", (unsigned long)arg);
        case TUNSETVNETHDRSZ:
            return tell(queue, "hdrsz", *(int *)arg);
        case TUNGETVNETHDRSZ:
            *(int *)arg = 10;
            return 0;
        case TUNSETQUEUE:
            return tell(queue, "queue", ifr->ifr_flags & IFF_ATTACH_QUEUE ? 1 : 0);
        case TUNSETVNETLE:
            return tell(queue, "vnetle", *(int *)arg);
        case TUNSETVNETBE:
            return tell(queue, "vnetbe", *(int *)arg);
        case TUNSETSNDBUF:
            return 0;
        }
    }
    if (!real)
        real = dlsym(RTLD_NEXT, "ioctl");
    return real(fd, request, arg);
}
