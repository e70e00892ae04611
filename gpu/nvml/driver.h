// What is used of the NVIDIA Management Library, found at run time. Functions whose names
// end in _v2 or _v3 are versions of that structure; see nvml.h.

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef int wes_code; // nvmlReturn_t

typedef struct {
	unsigned long long total, free, used;
} wes_memory; // nvmlMemory_t

typedef struct {
	char legacy[16];
	unsigned int domain, bus, device, id, subsystem;
	char bus_id[32];
} wes_pci; // nvmlPciInfo_t, version 3

typedef struct {
	unsigned int gpu, memory;
} wes_utilization; // nvmlUtilization_t

typedef struct {
	void *device;
	unsigned long long type, data;
	unsigned int gpu_instance, compute_instance;
} wes_event; // nvmlEventData_t, version 2

enum {
	WES_FUNCTION_NOT_FOUND = 13, // NVML_ERROR_FUNCTION_NOT_FOUND
	WES_XID = 8,                 // nvmlEventTypeXidCriticalError
	WES_SHUTDOWN = 0,            // NVML_TEMPERATURE_THRESHOLD_SHUTDOWN
	WES_SLOWDOWN = 1,            // NVML_TEMPERATURE_THRESHOLD_SLOWDOWN
};

typedef struct {
	void *handle, *events;
	wes_code (*init)(void);
	wes_code (*shutdown)(void);
	const char *(*text)(wes_code);
	wes_code (*driver)(char *, unsigned int);
	wes_code (*count)(unsigned int *);
	wes_code (*device)(unsigned int, void **);
	wes_code (*uuid)(void *, char *, unsigned int);
	wes_code (*name)(void *, char *, unsigned int);
	wes_code (*memory)(void *, wes_memory *);
	// What follows may be missing.
	wes_code (*pci)(void *, wes_pci *);
	wes_code (*capability)(void *, int *, int *);
	wes_code (*temperature)(void *, int, unsigned int *);
	wes_code (*threshold)(void *, int, unsigned int *);
	wes_code (*utilization)(void *, wes_utilization *);
	wes_code (*mig_mode)(void *, unsigned int *, unsigned int *);
	wes_code (*mig_count)(void *, unsigned int *);
	wes_code (*mig_device)(void *, unsigned int, void **);
	wes_code (*event_set)(void **);
	wes_code (*event_register)(void *, unsigned long long, void *);
	wes_code (*event_wait)(void *, wes_event *, unsigned int);
	wes_code (*event_free)(void *);
} wes_nvml;

// wes_load finds the functions of a library that is open. It returns the name of one that
// is needed and missing, or NULL.
static const char *wes_load(wes_nvml *l) {
	struct {
		const char *name;
		void **to;
		int needed;
	} functions[] = {
		{"nvmlInit_v2", (void **)&l->init, 1},
		{"nvmlShutdown", (void **)&l->shutdown, 1},
		{"nvmlErrorString", (void **)&l->text, 1},
		{"nvmlSystemGetDriverVersion", (void **)&l->driver, 1},
		{"nvmlDeviceGetCount_v2", (void **)&l->count, 1},
		{"nvmlDeviceGetHandleByIndex_v2", (void **)&l->device, 1},
		{"nvmlDeviceGetUUID", (void **)&l->uuid, 1},
		{"nvmlDeviceGetName", (void **)&l->name, 1},
		{"nvmlDeviceGetMemoryInfo", (void **)&l->memory, 1},
		{"nvmlDeviceGetPciInfo_v3", (void **)&l->pci, 0},
		{"nvmlDeviceGetCudaComputeCapability", (void **)&l->capability, 0},
		{"nvmlDeviceGetTemperature", (void **)&l->temperature, 0},
		{"nvmlDeviceGetTemperatureThreshold", (void **)&l->threshold, 0},
		{"nvmlDeviceGetUtilizationRates", (void **)&l->utilization, 0},
		{"nvmlDeviceGetMigMode", (void **)&l->mig_mode, 0},
		{"nvmlDeviceGetMaxMigDeviceCount", (void **)&l->mig_count, 0},
		{"nvmlDeviceGetMigDeviceHandleByIndex", (void **)&l->mig_device, 0},
		{"nvmlEventSetCreate", (void **)&l->event_set, 0},
		{"nvmlDeviceRegisterEvents", (void **)&l->event_register, 0},
		{"nvmlEventSetWait_v2", (void **)&l->event_wait, 0},
		{"nvmlEventSetFree", (void **)&l->event_free, 0},
	};
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		*functions[i].to = dlsym(l->handle, functions[i].name);
		if (!*functions[i].to && functions[i].needed) return functions[i].name;
	}
	return NULL;
}

static wes_code wes_init(wes_nvml *l) { return l->init(); }
static wes_code wes_shutdown(wes_nvml *l) { return l->shutdown(); }
static const char *wes_text(wes_nvml *l, wes_code c) { return l->text(c); }
static wes_code wes_driver(wes_nvml *l, char *to, unsigned int n) { return l->driver(to, n); }
static wes_code wes_count(wes_nvml *l, unsigned int *n) { return l->count(n); }
static wes_code wes_device(wes_nvml *l, unsigned int i, void **to) { return l->device(i, to); }

typedef struct {
	char uuid[96], name[96]; // NVML_DEVICE_UUID_V2_BUFFER_SIZE, NVML_DEVICE_NAME_V2_BUFFER_SIZE
	wes_memory memory;
	wes_pci pci;      // zero where unknown
	int major, minor; // zero where unknown
	unsigned int mig; // how many MIG instances take its place, at most
} wes_description;

static wes_code wes_describe(wes_nvml *l, void *device, wes_description *d) {
	memset(d, 0, sizeof *d);
	wes_code c = l->uuid(device, d->uuid, sizeof d->uuid);
	if (!c) c = l->name(device, d->name, sizeof d->name);
	if (c) return c;
	unsigned int mode = 0, pending = 0;
	if (l->pci && l->pci(device, &d->pci)) memset(&d->pci, 0, sizeof d->pci);
	if (l->capability && l->capability(device, &d->major, &d->minor)) d->major = d->minor = 0;
	if (l->mig_mode && l->mig_count && l->mig_device && !l->mig_mode(device, &mode, &pending) && mode && l->mig_count(device, &d->mig)) d->mig = 0;
	d->uuid[sizeof d->uuid - 1] = d->name[sizeof d->name - 1] = d->pci.bus_id[sizeof d->pci.bus_id - 1] = 0;
	return l->memory(device, &d->memory);
}

static wes_code wes_mig_device(wes_nvml *l, void *device, unsigned int i, void **to) { return l->mig_device(device, i, to); }

typedef struct {
	wes_memory memory;
	unsigned int temperature, slowdown, shutdown, utilization; // zero where unknown
} wes_reading;

// wes_read takes memory from device and the sensors from the board it is on.
static wes_code wes_read(wes_nvml *l, void *device, void *board, wes_reading *r) {
	memset(r, 0, sizeof *r);
	wes_utilization u = {0, 0};
	wes_code c = l->temperature ? l->temperature(board, 0, &r->temperature) : 0;
	if (c == 15 || c == 16) return c; // NVML_ERROR_GPU_IS_LOST, NVML_ERROR_RESET_REQUIRED
	if (c) r->temperature = 0;
	if (!l->threshold || l->threshold(board, WES_SLOWDOWN, &r->slowdown)) r->slowdown = 0;
	if (!l->threshold || l->threshold(board, WES_SHUTDOWN, &r->shutdown)) r->shutdown = 0;
	if (l->utilization && !l->utilization(board, &u)) r->utilization = u.gpu;
	return l->memory(device, &r->memory);
}

static wes_code wes_events(wes_nvml *l) {
	if (!l->event_set || !l->event_register || !l->event_wait || !l->event_free) return WES_FUNCTION_NOT_FOUND;
	return l->event_set(&l->events);
}

static wes_code wes_watch(wes_nvml *l, void *device) { return l->event_register(device, WES_XID, l->events); }

// wes_next takes an event that has happened; it does not wait.
static wes_code wes_next(wes_nvml *l, wes_event *e) { return l->event_wait(l->events, e, 0); }

static void wes_unwatch(wes_nvml *l) {
	if (l->events) l->event_free(l->events);
}
