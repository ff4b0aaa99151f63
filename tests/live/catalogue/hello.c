/* A module with two directives, written without the header of the module API: what it needs of it is asked for. */
#include <stddef.h>

typedef long long (*Get)(const char *, void *);
typedef int (*Set)(const char *, long long, void *, void **);
typedef int (*Apply)(void *, void *, void **);

enum { OK = 0, API = 1, ANY_NAME = 1 << 9 };

static long long numbers[] = {3, 4};

static long long get(const char *name, void *which) { (void)name; return *(long long *)which; }

static int set(const char *name, long long value, void *which, void **error) {
    (void)name;
    (void)error;
    *(long long *)which = value;
    return OK;
}

int RedisModule_OnLoad(void *context, void **words, int count) {
    int (*ask)(const char *, void *) = *(int (**)(const char *, void *))context; /* its first field */
    void (*attributes)(void *, const char *, int, int) = NULL;
    int (*number)(void *, const char *, long long, unsigned, long long, long long, Get, Set, Apply, void *) = NULL;
    int (*load)(void *) = NULL;
    (void)words;
    (void)count;
    ask("RedisModule_SetModuleAttribs", (void *)&attributes);
    ask("RedisModule_RegisterNumericConfig", (void *)&number);
    ask("RedisModule_LoadConfigs", (void *)&load);
    attributes(context, "hello", 1, API);
    if (number == NULL) return OK; /* 6.x */
    number(context, "count", 3, 0, 0, 1000, get, set, NULL, &numbers[0]);
    /* Before redis 8.0 the flag is refused, and with it the directive. */
    number(context, "hello-size", 4, ANY_NAME, 0, 1000, get, set, NULL, &numbers[1]);
    load(context);
    return OK;
}
