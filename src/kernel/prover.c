/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel/prover: asks memory, then disk, then the kernel itself. */
#include "prover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proof_file.h"

void prover_init(struct prover *prover, const char *proofs_dir)
{
	*prover = (struct prover){0};
	if (proofs_dir)
		prover->file = proof_file_read(proofs_dir, prover->file_why, sizeof(prover->file_why));
}

void prover_done(struct prover *prover)
{
	proof_file_free(prover->file);
}

static const struct proof_verdict *find(const struct prover *prover, const struct proof_set *set)
{
	for (unsigned i = 0; i < prover->count; i++) {
		if (proof_set_equal(&prover->verdicts[i].set, set))
			return &prover->verdicts[i];
	}
	return NULL;
}

static void remember(struct prover *prover, const struct proof_set *set, bool proven, const char *why)
{
	struct proof_verdict *verdict = &prover->verdicts[prover->next];

	prover->next = (prover->next + 1) % PROVER_SETS_MAX;
	if (prover->count < PROVER_SETS_MAX)
		prover->count++;
	*verdict = (struct proof_verdict){.set = *set, .proven = proven};
	snprintf(verdict->why, sizeof(verdict->why), "%s", why);
}

/* As proof_try; -EPERM where no namespace can be made. */
static int try_now(struct prover *prover, const struct proof_set *set, char *ret_why, size_t why_size)
{
	struct throwaway throwaway;
	int r = prover->no_namespace ? -EPERM : throwaway_open(&throwaway);

	if (r < 0) {
		snprintf(ret_why, why_size, "no namespace to try it in (%s)%s%s", strerror(-r),
			 prover->file_why[0] ? ", and " : "", prover->file_why);
		return r;
	}
	r = proof_try(&throwaway, set, prover->distort, ret_why, why_size);
	throwaway_close(&throwaway);
	return r;
}

bool prover_has(struct prover *prover, const struct proof_set *set, char *ret_why, size_t why_size)
{
	const struct proof_verdict *verdict = find(prover, set);
	char why[PROVER_WHY_MAX] = "";
	int r;

	if (verdict) {
		if (!verdict->proven)
			snprintf(ret_why, why_size, "%s", verdict->why);
		return verdict->proven;
	}
	if (proof_file_has(prover->file, set))
		return true;
	r = try_now(prover, set, why, sizeof(why));
	/* What passes (no memory, no right yet) is asked again. */
	if (r >= 0 || r == -EOPNOTSUPP)
		remember(prover, set, r > 0, why);
	if (r <= 0)
		snprintf(ret_why, why_size, "%s", why);
	return r > 0;
}
