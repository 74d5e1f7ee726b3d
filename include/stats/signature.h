/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/signature: what has grown since calm, as the narrowest key that covers most of the growth
 * and least of what was there before. Found on two samples (stats/sample), confirmed by count in a
 * pass. Pure; memory is taken at signature_finder_new. */
#ifndef CTWARDEN_STATS_SIGNATURE_H
#define CTWARDEN_STATS_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "flow/filter.h"
#include "flow/flow.h"
#include "stats/sample.h"

#define SIGNATURE_MAX	   4 /* several surges at once */
#define SIGNATURE_TEXT_MAX 200

struct signature_pattern { /* all conditions AND; compared without loops */
	uint64_t src[2], src_mask[2], dst[2], dst_mask[2]; /* as the bytes lie in memory */
	uint8_t family;           /* 0: any; set where src or dst is */
	uint8_t src_len, dst_len; /* 0: any */
	bool has_protocol, has_port, has_zone;
	uint8_t protocol;
	uint16_t port;    /* original destination port */
	uint16_t zone;    /* of either direction, as in filters */
	uint16_t classes; /* 1 << enum flow_class. Pickups are out where src_len is set: who stands
			   * as their source is not to blame */
};

struct signature {
	struct signature_pattern pattern;
	double coverage;       /* 0-1: share of the growth that fits */
	double base_share;     /* 0-1: share of what was there before that fits too */
	uint64_t growth, base; /* flows that fit: estimated by the samples, exact once confirmed */
	bool is_confirmed;
	bool hits_base; /* base_share is above the bound: it would hit what was there before */
	bool cannot_tell_apart; /* the best there is, and it hits the base: attack and honest flows
				 * agree in every attribute */
	bool is_blind; /* nothing is known of what was there before: base_share says nothing, and
			* answered flows must not be judged by it */
	bool is_untried; /* it is not known yet whether answered flows that fit are in use (stats/trial) */
	bool is_lively;	 /* many of them are: a crowd of users rather than a flood */
};

struct signature_config {
	double min_coverage;   /* of the growth: less is not named */
	double max_base_share; /* the bound: above it a signature says hits_base and is for order
				* only, not for rank */
	uint32_t min_growth;   /* new flows: fewer explain nothing */
};

struct signature_config signature_config_default(void); /* 0.15, 0.02, 50 */

struct signature_finder;

struct signature_finder *signature_finder_new(const struct signature_config *config);
void signature_finder_free(struct signature_finder *finder);

struct signature_input {
	const struct sample *base;   /* of the table when it was last calm */
	const struct sample *growth; /* of what is there now and was not then (not is_base of
				      * struct standing), classes of now */
	uint64_t base_flows, growth_flows; /* what the samples stand for */
};

/* Fills up to max (at most SIGNATURE_MAX) signatures, each for what the ones before left
 * unexplained; returns how many. 0: too little growth, or nothing covers min_coverage. A signature
 * with hits_base is only ever the first and the last one. Some milliseconds of CPU; nothing is
 * allocated. */
size_t signature_find(struct signature_finder *finder, const struct signature_input *input,
		      size_t max, struct signature *ret_signatures);

/* The pattern alone; the same answer as signature_filter's filter would give. A few ns. */
bool signature_match(const struct signature_pattern *pattern, const struct flow *flow,
		     enum flow_class class);
/* The number of the first signature that fits, or -1. */
int signature_match_any(const struct signature *signatures, size_t n, const struct flow *flow,
			enum flow_class class);

struct signature_counts { /* of a pass, zeroed before */
	uint64_t growth, base, growth_hits, base_hits;
};
void signature_count(struct signature_counts *counts, const struct signature_pattern *pattern,
		     const struct flow *flow, enum flow_class class, bool is_base);
/* The same for n signatures, counts one each; as signature_match_any the number of the first that fits, or -1. */
int signature_count_all(struct signature_counts *counts, const struct signature *signatures, size_t n,
			const struct flow *flow, enum flow_class class, bool is_base);
/* Puts the counted shares in the place of the estimated ones and the flags right. False: the pass
 * does not bear it out (less than min_coverage, or it hits the base where the samples said that it
 * would not); the caller finds anew. */
bool signature_confirm(struct signature *signature, const struct signature_config *config,
		       const struct signature_counts *counts);

/* It was tried, and what fits is not in use: use tells it apart. */
bool signature_is_idle(const struct signature *signature);
/* Two-way flows fit, and nobody knows yet whether they are in use. (Others are never tried.) */
bool signature_awaits_trial(const struct signature *signature);
/* A crowd of users, or it is not known yet and answered flows fit: then one that is just being opened may be honest. */
bool signature_may_be_crowd(const struct signature *signature);
/* What one filtered DELETE can ask for of it: one or both exact IPv4 addresses, protocol, port and zone; prefixes are
 * left out, so that it may mean more flows, and classes (all) are left to the status. False: not of unanswered flows
 * alone, or without an exact address. */
bool signature_for_kernel(const struct signature_pattern *pattern, struct signature_pattern *ret_pattern);
/* The same as a filter; the caller frees it. */
struct flow_filter *signature_filter(const struct signature_pattern *pattern);
/* "unreplied tcp/22 from 10.1.0.66 to 198.51.100.0/24"; returns buf. */
char *signature_format(const struct signature_pattern *pattern, char buf[SIGNATURE_TEXT_MAX]);

#endif
