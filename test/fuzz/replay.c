/* A plain main for a fuzz target: runs it over the files of its corpus, so that the corpus is a
 * regression test under any compiler and on any processor. `fuzz_NAME` replays test/corpus/NAME/
 * (relative to the current directory), `fuzz_NAME FILE...` the files named. A property that fails
 * aborts the program.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count;

static void replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t room = 1 << 20;
    uint8_t *data = malloc(room);
    uint8_t *exact;
    size_t len;

    if (!file || !data) {
        printf("Bail out! cannot read %s\n", path);
        exit(1);
    }
    len = fread(data, 1, room, file);
    fclose(file);
    /* Exactly as long as the input, so that AddressSanitizer sees one byte too far. */
    exact = malloc(len ? len : 1);
    if (!exact)
        abort();
    memcpy(exact, data, len);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    free(data);
    printf("ok %d - %s\n", ++count, path);
    fflush(stdout);
}

static void replay_corpus(const char *program)
{
    const char *name = strrchr(program, '/') ? strrchr(program, '/') + 1 : program;
    char path[4096];
    DIR *dir;

    if (strncmp(name, "fuzz_", 5) == 0)
        name += 5;
    snprintf(path, sizeof path, "test/corpus/%s", name);
    dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "test/corpus/%s/%s", name, entry->d_name);
        replay(path);
    }
    if (dir)
        closedir(dir);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    if (argc == 1)
        replay_corpus(argv[0]);
    /* No input is a mistake of whoever runs this, never a pass. */
    if (count == 0) {
        printf("not ok %d - %s has a corpus\n", ++count, argv[0]);
        printf("1..%d\n", count);
        return 1;
    }
    printf("1..%d\n", count);
    return 0;
}
