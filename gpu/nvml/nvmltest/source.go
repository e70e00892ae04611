package nvmltest

// source is the library in C.
const source = `// A management library without devices. What it says stands in the file "state" beside it,
// lines of a key, an index and a value, read anew at every call:
//
//	init 0 CODE          nvmlInit fails
//	devices 0 N          there are N boards
//	handle I CODE        board I cannot be opened
//	mig I N              board I is divided into N instances
//	temperature I C      of board I in °C
//	lost I CODE          sensors of board I fail
//	xid I X              board I reports error X, once for each line in the life of a process
//	abort 0 1            nvmlInit ends the process
//	hang 0 1             nvmlInit does not return
//	bare 0 1             optional calls are not supported

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { int board, instance; } unit;

static unit units[256][9];
static int served;

// find gives the value of the nth line with key and index, or other.
static long find(const char *key, int index, int nth, long other) {
	Dl_info self;
	char path[4096], word[32];
	int i;
	long value;
	if (!dladdr((void *)units, &self) || strlen(self.dli_fname) > 4000) return other;
	strcpy(path, self.dli_fname);
	char *end = strrchr(path, '/');
	strcpy(end ? end + 1 : path, "state");
	FILE *f = fopen(path, "r");
	if (!f) return other;
	while (fscanf(f, "%31s %d %ld", word, &i, &value) == 3)
		if (!strcmp(word, key) && (index < 0 || i == index) && nth-- == 0) {
			fclose(f);
			return index < 0 ? value * 1000 + i : value;
		}
	fclose(f);
	return other;
}

static long get(const char *key, int index, long other) { return find(key, index, 0, other); }
static int bare(void) { return get("bare", 0, 0) ? 3 : 0; }

int nvmlInit_v2(void) {
	if (get("abort", 0, 0)) abort();
	while (get("hang", 0, 0)) pause();
	return get("init", 0, 0);
}
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return code == 9 ? "Driver Not Loaded" : "An Error"; }
int nvmlSystemGetDriverVersion(char *to, unsigned n) { return snprintf(to, n, "570.00.01") < 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = get("devices", 0, 0); return 0; }

int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **to) {
	units[i][0].board = i;
	*to = &units[i][0];
	return get("handle", i, 0);
}
int nvmlDeviceGetUUID(unit *u, char *to, unsigned n) {
	if (u->instance) snprintf(to, n, "MIG-%08d-0000-0000-0000-%012d", u->board, u->instance);
	else snprintf(to, n, "GPU-%08d-0000-0000-0000-000000000000", u->board);
	return 0;
}
int nvmlDeviceGetName(unit *u, char *to, unsigned n) {
	snprintf(to, n, u->instance ? "NVIDIA Test 10GB MIG" : "NVIDIA Test 80GB");
	return 0;
}
int nvmlDeviceGetMemoryInfo(unit *u, unsigned long long *m) {
	m[0] = (u->instance ? 10ull : 80ull) << 30, m[2] = 1ull << 30, m[1] = m[0] - m[2];
	return 0;
}
int nvmlDeviceGetPciInfo_v3(unit *u, char *info) {
	snprintf(info + 36, 32, "00000000:%02X:00.0", u->board + 1);
	return bare();
}
int nvmlDeviceGetCudaComputeCapability(unit *u, int *major, int *minor) { *major = 9, *minor = 0; return bare(); }
int nvmlDeviceGetTemperature(unit *u, int sensor, unsigned *to) {
	*to = get("temperature", u->board, 45);
	int lost = get("lost", u->board, 0);
	return lost ? lost : bare();
}
int nvmlDeviceGetTemperatureThreshold(unit *u, int which, unsigned *to) { *to = which ? 87 : 92; return bare(); }
int nvmlDeviceGetUtilizationRates(unit *u, unsigned *to) { to[0] = 7, to[1] = 3; return bare(); }
int nvmlDeviceGetMigMode(unit *u, unsigned *now, unsigned *next) { *now = *next = get("mig", u->board, 0) > 0; return bare(); }
int nvmlDeviceGetMaxMigDeviceCount(unit *u, unsigned *n) { *n = 8; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(unit *u, unsigned i, void **to) {
	if (i % 2 || (int)i / 2 >= get("mig", u->board, 0)) return 6;
	units[u->board][1 + i] = (unit){u->board, 1 + i};
	*to = &units[u->board][1 + i];
	return 0;
}
int nvmlEventSetCreate(void **set) { *set = units; return bare(); }
int nvmlDeviceRegisterEvents(unit *u, unsigned long long types, void *set) { return types == 8 ? 0 : 2; }
int nvmlEventSetFree(void *set) { return 0; }

typedef struct {
	void *device;
	unsigned long long type, data;
	unsigned gpu_instance, compute_instance;
} event;

int nvmlEventSetWait_v2(void *set, event *e, unsigned timeout) {
	long next = find("xid", -1, served, -1);
	if (next < 0) return 10;
	served++;
	*e = (event){&units[next % 1000][0], 8, next / 1000, -1, -1};
	return 0;
}
`
