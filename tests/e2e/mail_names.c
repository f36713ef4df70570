/* Names for tests, loaded before the C library: `slow.invalid` is looked up for 45 seconds in vain,
 * `smtp.invalid` is this machine. All others are looked up as ever. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    lookup *next = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");
    if (name != NULL && strcmp(name, "slow.invalid") == 0) {
        sleep(45);
        return EAI_AGAIN;
    }
    if (name != NULL && strcmp(name, "smtp.invalid") == 0) {
        name = "127.0.0.1";
    }
    return next(name, service, hints, found);
}
