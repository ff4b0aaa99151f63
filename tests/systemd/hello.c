/* The smallest module that says that it was executed: HELLO.ANSWER answers the number that its argument names.
 * Without any header and library: it runs beside every engine and C library. */
typedef struct Context Context;
typedef struct Text Text;
typedef int (*Command)(Context *, Text **, int);

static int (*attributes)(Context *, const char *, int, int);
static int (*command)(Context *, const char *, Command, const char *, int, int, int);
static int (*number)(Context *, long long);
static int (*reads)(const Text *, long long *);
static long long answer;

static int hello(Context *context, Text **words, int count) {
    (void)words;
    (void)count;
    return number(context, answer);
}

int RedisModule_OnLoad(Context *context, Text **words, int count) {
    int (*find)(const char *, void *) = (int (*)(const char *, void *))((void **)context)[0];
    find("RedisModule_SetModuleAttribs", &attributes);
    find("RedisModule_CreateCommand", &command);
    find("RedisModule_ReplyWithLongLong", &number);
    find("RedisModule_StringToLongLong", &reads);
    attributes(context, "hello", 1, 1);
    if (count == 1) reads(words[0], &answer);
    return command(context, "hello.answer", hello, "readonly", 0, 0, 0);
}
