// SPDX-License-Identifier: GPL-2.0
/*
 * lwip_host - a host whose TCP is lwIP's, played by a program
 *
 * Usage: lwip_host TAP ADDRESS GATEWAY ADDRESS6 CONTROL
 *
 * The host is at the other end of the device TAP of this network namespace. Tests
 * reach its sockets by CONTROL, a socket of AF_UNIX: each connection there takes
 * one call after the other, a line each, and answers "RESULT ERRNO LENGTH", a line
 * too, and LENGTH bytes. SOCK is what socket and accept have answered.
 *
 *	socket FAMILY		option SOCK LEVEL NAME HEX	name SOCK
 *	bind SOCK FAMILY ADDRESS PORT	connect SOCK FAMILY ADDRESS PORT
 *	listen SOCK		accept SOCK	shutdown SOCK HOW	close SOCK
 *	send SOCK LENGTH, and the bytes		recv SOCK LENGTH
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <linux/if_tun.h>
#include <lwip/ethip6.h>
#include <lwip/etharp.h>
#include <lwip/sockets.h>
#include <lwip/tcpip.h>

#define MOST 65536
#define FRAME 1514

/* A connection to us: the words of a call, its answer. */
struct control {
	FILE *in, *out;
	char *words[6];
	int count;
	char data[MOST];
	size_t length;
};

static struct netif device;
static int tap;

/* --- the device --- */

static err_t send_frame(struct netif *netif, struct pbuf *frame)
{
	char data[FRAME];
	ssize_t length = pbuf_copy_partial(frame, data, sizeof(data), 0);

	return write(tap, data, length) == length ? ERR_OK : ERR_IF;
}

/* Not into pbufs of the pool, as lwIP's own tapif does: Debian's have no room. */
static void *take_frames(void *argument)
{
	char data[FRAME];
	ssize_t length;

	while ((length = read(tap, data, sizeof(data))) > 0) {
		struct pbuf *frame = pbuf_alloc(PBUF_RAW, length, PBUF_RAM);

		if (!frame || pbuf_take(frame, data, length))
			errx(1, "no memory");
		/* lwIP is busy: the frame is lost, as on any wire */
		if (device.input(frame, &device))
			pbuf_free(frame);
	}
	err(1, "read");
}

static err_t start_device(struct netif *netif)
{
	static const unsigned char mac[] = { 2, 0, 0, 0, 0, 0xb0 };
	pthread_t thread;

	netif->name[0] = 't';
	netif->name[1] = 'p';
	netif->mtu = 1500;
	netif->hwaddr_len = sizeof(mac);
	memcpy(netif->hwaddr, mac, sizeof(mac));
	netif->output = etharp_output;
	netif->output_ip6 = ethip6_output;
	netif->linkoutput = send_frame;
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP |
		       NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6;
	return pthread_create(&thread, NULL, take_frames, NULL) ? ERR_MEM :
								  ERR_OK;
}

static void open_tap(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	tap = open("/dev/net/tun", O_RDWR);
	if (tap < 0 || ioctl(tap, TUNSETIFF, &request))
		err(1, "%s", name);
}

/* --- calls --- */

static long number(struct control *c, int i)
{
	return i < c->count ? strtol(c->words[i], NULL, 0) : -1;
}

/* FAMILY ADDRESS PORT, from word 2 on. */
static socklen_t parse_address(struct control *c,
			       struct sockaddr_storage *address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (c->count < 5)
		return 0;
	address->ss_family = number(c, 2);
	if (address->ss_family == AF_INET) {
		in->sin_port = htons(number(c, 4));
		return inet_pton(AF_INET, c->words[3], &in->sin_addr) == 1 ?
			       sizeof(*in) :
			       0;
	}
	in6->sin6_port = htons(number(c, 4));
	return inet_pton(AF_INET6, c->words[3], &in6->sin6_addr) == 1 ?
		       sizeof(*in6) :
		       0;
}

static int do_bind(struct control *c, int sock)
{
	struct sockaddr_storage address;
	socklen_t length = parse_address(c, &address);

	return lwip_bind(sock, (struct sockaddr *)&address, length);
}

static int do_connect(struct control *c, int sock)
{
	struct sockaddr_storage address;
	socklen_t length = parse_address(c, &address);

	return lwip_connect(sock, (struct sockaddr *)&address, length);
}

static int do_option(struct control *c, int sock)
{
	unsigned char value[16];
	const char *hex = c->count > 4 ? c->words[4] : "";
	size_t length = strlen(hex) / 2;

	if (length > sizeof(value))
		return -1;
	for (size_t i = 0; i < length; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &value[i]) != 1)
			return -1;
	return lwip_setsockopt(sock, number(c, 2), number(c, 3), value, length);
}

/* The port, in the order of this host. */
static int do_name(struct control *c, int sock)
{
	struct sockaddr_in6 address;
	socklen_t length = sizeof(address);

	if (lwip_getsockname(sock, (struct sockaddr *)&address, &length))
		return -1;
	return ntohs(address.sin6_port);
}

/* lwIP takes all of it, or fails. */
static int do_send(struct control *c, int sock)
{
	long size = number(c, 2);

	if (size < 0 || size > MOST ||
	    fread(c->data, 1, size, c->in) != (size_t)size)
		return -1;
	return lwip_send(sock, c->data, size, 0);
}

static int do_recv(struct control *c, int sock)
{
	long size = number(c, 2);
	ssize_t got;

	if (size < 0 || size > MOST)
		return -1;
	got = lwip_recv(sock, c->data, size, 0);
	c->length = got > 0 ? got : 0;
	return got;
}

static int do_socket(struct control *c, int family)
{
	return lwip_socket(family, SOCK_STREAM, 0);
}

static int do_listen(struct control *c, int sock)
{
	return lwip_listen(sock, 8);
}

static int do_accept(struct control *c, int sock)
{
	return lwip_accept(sock, NULL, NULL);
}

static int do_shutdown(struct control *c, int sock)
{
	return lwip_shutdown(sock, number(c, 2));
}

static int do_close(struct control *c, int sock)
{
	return lwip_close(sock);
}

static const struct {
	const char *name;
	int (*call)(struct control *c, int sock);
} calls[] = {
	{ "accept", do_accept }, { "bind", do_bind },
	{ "close", do_close },	 { "connect", do_connect },
	{ "listen", do_listen }, { "name", do_name },
	{ "option", do_option }, { "recv", do_recv },
	{ "send", do_send },	 { "shutdown", do_shutdown },
	{ "socket", do_socket },
};

static int run(struct control *c)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (c->count > 1 && !strcmp(c->words[0], calls[i].name))
			return calls[i].call(c, number(c, 1));
	errno = ENOSYS;
	return -1;
}

static void *serve(void *argument)
{
	struct control *c = argument;
	char line[256], *rest;
	int result;

	while (fgets(line, sizeof(line), c->in)) {
		c->count = 0;
		c->length = 0;
		for (char *word = strtok_r(line, " \n", &rest);
		     word && c->count < 6; word = strtok_r(NULL, " \n", &rest))
			c->words[c->count++] = word;
		errno = 0;
		result = run(c);
		fprintf(c->out, "%d %d %zu\n", result, result < 0 ? errno : 0,
			c->length);
		fwrite(c->data, 1, c->length, c->out);
		fflush(c->out);
	}
	fclose(c->in);
	fclose(c->out);
	free(c);
	return NULL;
}

/* Take connections; each has a thread. */
static void take_control(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	pthread_t thread;

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	unlink(path);
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 64))
		err(1, "%s", path);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		struct control *c = calloc(1, sizeof(*c));

		if (fd < 0 || !c)
			err(1, "accept");
		c->in = fdopen(fd, "r");
		c->out = fdopen(dup(fd), "w");
		if (!c->in || !c->out ||
		    pthread_create(&thread, NULL, serve, c))
			err(1, "a connection");
		pthread_detach(thread);
	}
}

/* In lwIP's own thread: the device gets its addresses, used at once. */
static void add_device(void *argument)
{
	char **argv = argument;
	ip4_addr_t address, mask, gateway;
	ip6_addr_t address6;
	s8_t index;

	IP4_ADDR(&mask, 255, 255, 255, 0);
	if (!ip4addr_aton(argv[2], &address) ||
	    !ip4addr_aton(argv[3], &gateway) ||
	    !ip6addr_aton(argv[4], &address6))
		errx(1, "no addresses: %s %s %s", argv[2], argv[3], argv[4]);
	if (!netif_add(&device, &address, &mask, &gateway, NULL, start_device,
		       tcpip_input))
		errx(1, "%s: lwIP does not take it", argv[1]);
	netif_create_ip6_linklocal_address(&device, 1);
	netif_ip6_addr_set_state(&device, 0, IP6_ADDR_PREFERRED);
	netif_add_ip6_address(&device, &address6, &index);
	netif_ip6_addr_set_state(&device, index, IP6_ADDR_PREFERRED);
	netif_set_default(&device);
	netif_set_link_up(&device);
	netif_set_up(&device);
}

int main(int argc, char **argv)
{
	if (argc != 6)
		errx(2,
		     "usage: lwip_host TAP ADDRESS GATEWAY ADDRESS6 CONTROL");
	open_tap(argv[1]);
	tcpip_init(add_device, argv);
	take_control(argv[5]);
}
