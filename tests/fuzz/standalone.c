/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standalone: runs a fuzz harness over the files it is given, as an ordinary test where there is no
 * fuzzer. Each file is also run cut short at every length, and with each byte changed, so that a
 * few seeds reach the odd branches. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(uint8_t *data, size_t size)
{
	static const uint8_t changes[] = {0x01, 0x80, 0xff};

	LLVMFuzzerTestOneInput(data, size);
	for (size_t i = 0; i < size; i++)
		LLVMFuzzerTestOneInput(data, i);
	for (size_t i = 0; i < size; i++) {
		for (size_t k = 0; k < sizeof(changes); k++) {
			data[i] ^= changes[k];
			LLVMFuzzerTestOneInput(data, size);
			data[i] ^= changes[k];
		}
	}
}

int main(int argc, char **argv)
{
	static uint8_t data[65536];

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		size_t size;

		if (!file) {
			perror(argv[i]);
			return 1;
		}
		size = fread(data, 1, sizeof(data), file);
		fclose(file);
		run(data, size);
	}
	printf("%d files\n", argc - 1);
	return 0;
}
