/* The store on the PostgreSQL server whose address is the first argument; the second, that of a pooler in transaction mode
 * before it. */
#include "support/check.h"
#include "support/store_conformance.h"

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    return store_conformance_run("the store on PostgreSQL", argv[1], NULL) +
           store_conformance_run("the store on PostgreSQL behind a pooler in transaction mode", argv[2], NULL);
}
