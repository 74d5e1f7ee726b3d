/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/control: the control socket. A client may send many requests; what it does not read is bounded, and so are its
 * lines and the number of clients. */
#include "control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "lock.h"
#include "report/report.h"

#define CONTROL_GROUP "ctwarden"
#define REQUEST_SCHEMA "ctwarden.request/1"

struct client {
	struct control *control;
	struct bufferevent *io;
	struct ucred peer;
	struct event *again_event; /* more requests are in its buffer */
	bool is_closing; /* goes when what it was sent has left */
	bool is_ended;   /* sends no more, still gets its answers */
	struct client *next, *before;
};

struct control {
	struct event_base *base;
	struct evconnlistener *listener;
	struct lock *lock; /* as long as the socket is ours */
	control_fn *fn;
	void *arg;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t dev; /* of the socket file, to remove only our own */
	ino_t inode;
	struct client *clients;
	unsigned client_count;
	struct control_counts counts;
};

/* ---- clients ---- */

static void client_free(struct client *client)
{
	struct control *control = client->control;

	if (client->before)
		client->before->next = client->next;
	else
		control->clients = client->next;
	if (client->next)
		client->next->before = client->before;
	control->client_count--;
	bufferevent_free(client->io);
	if (client->again_event)
		event_free(client->again_event);
	free(client);
}

static char *answer_line(struct control *control, const struct client *client, const char *line, size_t len)
{
	struct control_request request = { .uid = client->peer.uid, .pid = client->peer.pid };
	struct problem problem = { 0 };
	struct doc *doc = NULL;
	struct doc_node root, node;
	const char *schema = NULL;
	char *answer;

	control->counts.requests++;
	if (doc_parse(line, len, "request", false, &doc, &problem) < 0)
		goto bad;
	root = doc_root(doc);
	node = doc_get(&root, "id");
	if (doc_whole(&node, 0, INT64_MAX, &request.id, &problem) < 0)
		goto bad;
	node = doc_get(&root, "schema");
	if (doc_text(&node, &schema, &problem) < 0)
		goto bad;
	if (!schema || strcmp(schema, REQUEST_SCHEMA) != 0) {
		doc_problem(&node, &problem, "the schema \"%s\" is expected", REQUEST_SCHEMA);
		goto bad;
	}
	node = doc_get(&root, "command");
	if (doc_text(&node, &request.command, &problem) < 0)
		goto bad;
	if (!request.command) {
		doc_problem(&node, &problem, "a command is expected: status, top or ping");
		goto bad;
	}
	request.args = doc_get(&root, "args");
	answer = control->fn(&request, control->arg);
	doc_free(doc);
	return answer;
bad:
	control->counts.errors++;
	answer = report_error_json(request.id, "bad-request", problem.text, problem.path);
	doc_free(doc);
	return answer;
}

/* False where the client had to go. */
static bool client_send(struct client *client, char *line)
{
	struct evbuffer *output = bufferevent_get_output(client->io);

	if (evbuffer_get_length(output) + strlen(line) + 1 > CONTROL_UNSENT_MAX) {
		client->control->counts.dropped++;
		log_info("control socket: client with pid %d dropped: it does not read its answers",
			 (int)client->peer.pid);
		free(line);
		client_free(client);
		return false;
	}
	evbuffer_add_printf(output, "%s\n", line);
	free(line);
	return true;
}

static void on_read(struct bufferevent *io, void *arg)
{
	struct client *client = arg;
	struct evbuffer *input = bufferevent_get_input(io);
	static const struct timeval now = { 0, 0 };
	size_t len;
	char *line;

	/* One request a turn: a client that sends a thousand at once must not keep timers and other clients waiting.
	 * And none before its answers so far have gone: they are on their way out when on_written calls again. */
	if (evbuffer_get_length(bufferevent_get_output(io)) > CONTROL_LINE_MAX)
		return;
	line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF);
	if (line) {
		char *answer = len < CONTROL_LINE_MAX && !client->is_closing ?
				       answer_line(client->control, client, line, len) : NULL;

		free(line);
		if (!answer)
			goto too_long;
		if (client_send(client, answer) && (client->is_ended || evbuffer_get_length(input) > 0))
			event_add(client->again_event, &now);
		return;
	}
	if (client->is_ended) {
		client->is_closing = true;
		if (evbuffer_get_length(bufferevent_get_output(io)) == 0)
			client_free(client);
		return;
	}
	if (evbuffer_get_length(input) < CONTROL_LINE_MAX)
		return;
too_long:
	client->control->counts.dropped++;
	bufferevent_disable(io, EV_READ);
	client->is_closing = true;
	client_send(client, report_error_json(0, "too-long", "a request is at most 64 KiB", ""));
}

static void on_written(struct bufferevent *io, void *arg)
{
	struct client *client = arg;

	if (client->is_closing && evbuffer_get_length(bufferevent_get_output(io)) == 0)
		client_free(client);
	else if (!client->is_closing && (client->is_ended || evbuffer_get_length(bufferevent_get_input(io)) > 0))
		on_read(io, client);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;

	(void)fd;
	(void)what;
	if (!client->is_closing)
		on_read(client->io, client);
}

static void on_end(struct bufferevent *io, short what, void *arg)
{
	struct client *client = arg;

	/* A client that has shut its sending side down still gets what it asked for. */
	if (what & BEV_EVENT_EOF) {
		client->is_ended = true;
		if (!client->is_closing)
			on_read(io, client);
		else if (evbuffer_get_length(bufferevent_get_output(io)) == 0)
			client_free(client);
		return;
	}
	client_free(client);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int addr_len,
		      void *arg)
{
	struct control *control = arg;
	struct client *client;
	socklen_t len = sizeof(client->peer);

	(void)listener;
	(void)addr;
	(void)addr_len;
	if (control->client_count >= CONTROL_CLIENTS_MAX) {
		static const char full[] = "{\"schema\":\"ctwarden.answer/1\",\"id\":0,\"error\":{\"code\":\"busy\","
					   "\"text\":\"64 clients are connected already\"},\"end\":true}\n";

		control->counts.refused++;
		(void)!send(fd, full, sizeof(full) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
		return;
	}
	client = mem_alloc(sizeof(*client));
	client->control = control;
	client->io = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!client->io || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client->peer, &len) < 0) {
		if (client->io)
			bufferevent_free(client->io);
		else
			close(fd);
		free(client);
		return;
	}
	client->again_event = event_new(control->base, -1, 0, on_again, client);
	client->next = control->clients;
	if (client->next)
		client->next->before = client;
	control->clients = client;
	control->client_count++;
	bufferevent_setcb(client->io, on_read, on_written, on_end, client);
	bufferevent_setwatermark(client->io, EV_READ, 0, CONTROL_LINE_MAX);
	bufferevent_enable(client->io, EV_READ | EV_WRITE);
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	(void)listener;
	(void)arg;
	log_debug("control socket: accept: %s", strerror(errno));
}

/* ---- the socket file ---- */

static int say(struct problem *problem, int r, const char *path, const char *what)
{
	problem_set(problem, "", "cannot listen on %s: %s%s%s", path, what, r < 0 && what[0] ? ": " : "",
		    r < 0 ? strerror(-r) : "");
	return r;
}

static int in_use(struct problem *problem, const char *path)
{
	problem_set(problem, "", "another ctwardend is running on %s", path);
	return -EADDRINUSE;
}

/* /run/ctwarden is made by the service manager; by hand nobody did. */
static void make_directory(const char *path)
{
	char *directory = mem_copy_text(path);
	char *slash = strrchr(directory, '/');

	if (slash && slash != directory) {
		*slash = 0;
		if (mkdir(directory, 0755) < 0 && errno != EEXIST)
			log_debug("mkdir %s: %s", directory, strerror(errno)); /* bind says it */
	}
	free(directory);
}

/* 0 where the file at address is a socket nobody answers on and has been removed. */
static int remove_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, r;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
	close(fd);
	if (r == 0 || r == -EAGAIN) /* EAGAIN: its queue of clients is full: alive */
		return -EADDRINUSE;
	if (r != -ECONNREFUSED)
		return r;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int bind_socket(const char *path, int *ret_fd, struct problem *problem)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct group *group;
	mode_t mask;
	int fd, r;

	if (strlen(path) >= sizeof(address.sun_path))
		return say(problem, -ENAMETOOLONG, path, "a path of at most 107 bytes is expected");
	memcpy(address.sun_path, path, strlen(path) + 1);
	r = remove_stale(&address);
	if (r == -EADDRINUSE)
		return in_use(problem, path);
	if (r < 0)
		return say(problem, r, path, r == -ENOTSOCK ? "a file that is no socket is in the way" : "");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return say(problem, -errno, path, "socket");
	mask = umask(0117); /* never wider than 0660, not even for a moment */
	r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(mask);
	if (r == 0 && listen(fd, CONTROL_CLIENTS_MAX) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return say(problem, r, path, "");
	}
	/* The directory may be the service user's: whatever he puts in the socket's place, no other file gets this
	 * group. The mode is that of bind. */
	group = getgrnam(CONTROL_GROUP);
	if (group && lchown(path, (uid_t)-1, group->gr_gid) < 0)
		log_debug("chown %s to group %s: %s", path, CONTROL_GROUP, strerror(errno));
	*ret_fd = fd;
	return 0;
}

int control_open(struct event_base *base, const char *path, control_fn *fn, void *arg, struct control **ret_control,
		 struct problem *reterr_problem)
{
	struct control *control;
	struct lock *lock = NULL;
	struct stat st = { 0 };
	int fd = -1, r;

	make_directory(path);
	r = lock_take(path, &lock);
	if (r == -EADDRINUSE)
		return in_use(reterr_problem, path);
	if (r < 0)
		return say(reterr_problem, r, path, "its lock file");
	r = bind_socket(path, &fd, reterr_problem);
	if (r < 0) {
		lock_drop(lock);
		return r;
	}
	control = mem_alloc(sizeof(*control));
	control->base = base;
	control->lock = lock;
	control->fn = fn;
	control->arg = arg;
	strcpy(control->path, path);
	if (lstat(path, &st) == 0) {
		control->dev = st.st_dev;
		control->inode = st.st_ino;
	}
	control->listener = evconnlistener_new(base, on_accept, control,
					       LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!control->listener) {
		unlink(path);
		close(fd);
		lock_drop(lock);
		free(control);
		return say(reterr_problem, -ENOMEM, path, "");
	}
	evconnlistener_set_error_cb(control->listener, on_accept_error);
	*ret_control = control;
	return 0;
}

void control_close(struct control *control)
{
	struct stat st;

	if (!control)
		return;
	while (control->clients)
		client_free(control->clients);
	evconnlistener_free(control->listener);
	if (lstat(control->path, &st) == 0 && st.st_dev == control->dev && st.st_ino == control->inode)
		unlink(control->path);
	lock_drop(control->lock);
	free(control);
}

struct control_counts control_counts_get(const struct control *control)
{
	return control->counts;
}
