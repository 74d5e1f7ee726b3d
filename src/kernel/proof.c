/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/proof: makes the entries, sends the filtered DELETE as the real one is sent, looks who is left. */
#include "proof.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "batch.h"
#include "decode.h"
#include "filtered_delete.h"
#include "proof_table.h"

#define TIMEOUT_SEC 600

void proof_set_from(const struct pushdown *p, uint8_t family, struct proof_set *ret_set)
{
	*ret_set = (struct proof_set){.family = family,
				      .has_zone = p->zone,
				      .status = p->status,
				      .status_mask = p->status_mask,
				      .mark_mask = p->has_mark ? p->mark_mask : 0};
	for (int side = 0; side < FLOW_DIRECTION_COUNT; side++) {
		ret_set->flags[side] = p->side[side].flags;
		if (p->side[side].flags & SIDE_PROTOCOL)
			ret_set->protocol = IPPROTO_UDP;
	}
	/* The ports of these two are compared; else one protocol is as good as another. */
	for (int side = 0; side < FLOW_DIRECTION_COUNT; side++) {
		if (p->side[side].flags & (SIDE_SPORT | SIDE_DPORT))
			ret_set->protocol = p->side[side].tuple.protocol;
	}
}

bool proof_set_equal(const struct proof_set *a, const struct proof_set *b)
{
	return a->family == b->family && a->protocol == b->protocol && a->has_zone == b->has_zone &&
	       a->flags[FLOW_ORIG] == b->flags[FLOW_ORIG] && a->flags[FLOW_REPLY] == b->flags[FLOW_REPLY] &&
	       a->status == b->status && a->status_mask == b->status_mask && a->mark_mask == b->mark_mask;
}

char *proof_set_format(const struct proof_set *set, char buf[PROOF_TEXT_MAX])
{
	snprintf(buf, PROOF_TEXT_MAX, "family=%u,status=%#x/%#x,mark=%#x,zone=%u,orig=%#x,reply=%#x,protocol=%u",
		 set->family == AF_INET ? 4 : set->family == AF_INET6 ? 6 : 0, set->status, set->status_mask,
		 set->mark_mask, set->has_zone, set->flags[FLOW_ORIG], set->flags[FLOW_REPLY], set->protocol);
	return buf;
}

/* ---- entries ---- */

struct trial {
	struct throwaway *throwaway;
	struct proof_table table;
	struct flow_target targets[PROOF_ENTRIES_MAX];
	bool is_there[PROOF_ENTRIES_MAX];
};

static struct nlmsghdr *build_create(struct batch *batch, void *buf, size_t i)
{
	const struct trial *trial = batch->arg;
	const struct proof_entry *entry = &trial->table.entries[i];

	return message_create(&batch->writer->socket, buf, &trial->targets[i], &entry->tuple[FLOW_REPLY],
			      entry->mark);
}

static struct nlmsghdr *build_get(struct batch *batch, void *buf, size_t i)
{
	const struct trial *trial = batch->arg;

	return message_get(&batch->writer->socket, buf, &trial->targets[i]);
}

static void take_entry(struct batch *batch, const struct nlmsghdr *answer, size_t i)
{
	struct trial *trial = batch->arg;
	struct flow flow;

	if (decode_message(answer, answer->nlmsg_len, &flow, NULL) < 0 ||
	    flow.zone != trial->targets[i].zone || flow.zone_reply != trial->targets[i].zone_reply)
		return;
	trial->targets[i].id = flow.id;
	trial->is_there[i] = true;
}

static struct nlmsghdr *build_delete(struct batch *batch, void *buf, size_t i)
{
	const struct trial *trial = batch->arg;

	return message_delete(&batch->writer->socket, buf, &trial->targets[i]);
}

static int run(struct trial *trial, struct nlmsghdr *(*build)(struct batch *, void *, size_t),
	       void (*take)(struct batch *, const struct nlmsghdr *, size_t))
{
	struct batch batch = {.writer = &trial->throwaway->writer,
			      .count = trial->table.count,
			      .build = build,
			      .take = take,
			      .arg = trial};
	int r = batch_run(&batch);

	for (unsigned i = 0; !r && i < trial->table.count; i++) {
		if (batch.results[i] == BATCH_PENDING)
			r = -ENOBUFS;
		else if (batch.results[i] != -ENOENT)
			r = batch.results[i];
	}
	return r;
}

static int look(struct trial *trial)
{
	memset(trial->is_there, 0, sizeof(trial->is_there));
	return run(trial, build_get, take_entry);
}

static int set_up(struct trial *trial)
{
	int r;

	for (unsigned i = 0; i < trial->table.count; i++) {
		const struct proof_entry *entry = &trial->table.entries[i];

		trial->targets[i] = (struct flow_target){.orig = entry->tuple[FLOW_ORIG],
							 .zone = entry->zone,
							 .zone_reply = entry->zone_reply,
							 .timeout_sec = TIMEOUT_SEC,
							 .status = entry->status};
	}
	r = run(trial, build_create, NULL);
	if (!r)
		r = look(trial);
	for (unsigned i = 0; !r && i < trial->table.count; i++) {
		if (!trial->is_there[i])
			r = -EIO;
	}
	return r;
}

/* ---- the trial ---- */

static int judge(const struct trial *trial, char *ret_why, size_t why_size)
{
	for (unsigned i = 0; i < trial->table.count; i++) {
		const struct proof_entry *entry = &trial->table.entries[i];

		if (trial->is_there[i] != entry->goes)
			continue;
		snprintf(ret_why, why_size, "this kernel %s an entry with %s",
			 entry->goes ? "leaves" : "deletes also", entry->what);
		return 0;
	}
	return 1;
}

int proof_try(struct throwaway *throwaway, const struct proof_set *set, proof_distort_fn *distort,
	      char *ret_why, size_t why_size)
{
	struct trial trial = {.throwaway = throwaway};
	int r = proof_table_make(set, &trial.table), cleaned;

	if (r < 0) {
		snprintf(ret_why, why_size, "it cannot be tried out on entries made for it");
		return r;
	}
	r = set_up(&trial);
	if (!r)
		r = filtered_delete_try(throwaway, &trial.table.request, set->family, distort);
	if (!r) {
		r = look(&trial);
		r = r < 0 ? r : judge(&trial, ret_why, why_size);
	} else if (r == -EINVAL || r == -EOPNOTSUPP) {
		snprintf(ret_why, why_size, "this kernel refuses the filter");
		r = 0;
	}
	if (r < 0)
		snprintf(ret_why, why_size, "it cannot be tried out: %s", strerror(-r));
	cleaned = run(&trial, build_delete, NULL);
	return cleaned < 0 && r > 0 ? cleaned : r;
}
