#!/bin/sh
# layers.sh AGENT|- OBJECT...: does each object import only what its layer may, and does the agent
# keep its promises? TAP, one line per object and promise; why one fails goes to standard error.
# No file of a layer uses one that uses it.
# An object's layer is the folder after src/ in its path. AGENT is the stripped agent, AGENT.debug
# beside it the one with symbols. From the environment: NM, SIZE; FLASH_MAX and RAM_MAX, where the
# board has a budget.
set -u
agent=$1
shift
NM=${NM:-nm}
SIZE=${SIZE:-size}

symbols() {
    for object; do
        "$NM" -P "$object" | sed "s|^|$object |"
    done
}

# "section bytes" of everything writable. .data.rel.ro is written once, by the loader.
writable() {
    "$SIZE" -A "$1" | awk '/^\.s?(data|bss)|^\.t(data|bss)/ && !/^\.data\.rel\.ro/ && $2 > 0 {
        print $1, $2
    }'
}

{
    for object; do
        writable "$object" | sed "s|^|section $object |"
    done
    symbols "$@" | sed 's/^/object /'
    if [ "$agent" != - ]; then
        symbols "$agent.debug" | sed 's/^/agent /'
        "$SIZE" -A "$agent.debug" |
            awk '/^\.(t(data|bss)|(pre)?init_array|ctors)/ && $2 > 0 { print "before-main", $1 }'
        echo "flash $(wc -c <"$agent") ${FLASH_MAX:-0}"
        ram=$(writable "$agent.debug" | awk '{ sum += $2 } END { print sum + 0 }')
        echo "ram $ram ${RAM_MAX:-0}"
    fi
} | awk '
function layer_of(path) {
    sub(/^.*src\//, "", path)
    sub(/\/.*/, "", path)
    return path
}
function complain(path, why) {
    complaints[path] = complaints[path] "#   " path ": " why "\n"
}
# Is there a way from this file to that one, by what each imports?
function leads(from, to,    next_one, ways, i) {
    if (from in been)
        return 0
    been[from] = 1
    ways = split(uses_of[from], next_one, " ")
    for (i = 1; i <= ways; i++)
        if (next_one[i] == to || leads(next_one[i], to))
            return 1
    return 0
}
function report(good, what, why) {
    printf "%sok %d - %s\n", good ? "" : "not ", ++count, what
    if (!good)
        printf "# %s\n%s", what, why | "cat 1>&2"
    failed += !good
}
BEGIN {
    # Who may import from whom, below what is listed: src/codec imports codec only.
    may["codec"] = " codec "
    may["core"] = " codec core "
    may["net"] = " codec core net "
    may["sys"] = " codec core sys "
    may["agent"] = " codec core net sys agent "
    may["gateway"] = " codec core net sys gateway "
    pure_imports = "^(memcpy|memmove|memset|memcmp|memchr|strlen|br_sha1_(init|update|out)|" \
        "_gp_disp|__gnu_local_gp|_GLOBAL_OFFSET_TABLE_|" \
        "__(u?div|u?mod|u?divmod|mul|ashl|ashr|lshr)[sdt]i[0-9]|" \
        "__(clz|ctz|ffs|popcount|bswap|u?cmp)[sdt]i[0-9]|" \
        "__aeabi_(u?idiv|u?idivmod|u?ldivmod|lmul|llsl|llsr|lasr|ulcmp|lcmp)|" \
        "__aeabi_mem(cpy|move|set|clr)[48]?)$"
    allocator = "^(malloc|calloc|realloc|reallocarray|free|aligned_alloc|memalign|posix_memalign|" \
        "strdup|strndup|sbrk|__libc_malloc.*|__simple_malloc|__malloc_.*)$"
    stdio = "^(v?[fsd]?n?printf|vsnprintf|printf_core|v?[fs]?scanf|f?puts|f?putc|putchar|perror|" \
        "fopen|fdopen|fread|fwrite|fgets|getline)$"
    host_database = "^(getaddrinfo|gethostby.*|getserv.*|getpw.*|res_.*|__lookup_.*)$"
    locale = "^(setlocale|newlocale|iconv.*|mbrtowc|wcrtomb|strftime|strptime|localtime.*)$"
    float_helper = "^(strto[fd]|strtold|atof|frexp.*|scalbn.*|__floatscan|fmt_fp|" \
        "__(add|sub|mul|div|neg|eq|ne|lt|le|gt|ge|unord|pow[is]?)[sdtx]f[0-9]?|" \
        "__(fix|fixuns)[sdtx]f[sdt]i|__(float|floatun)[sdt]i[sdtx]f|" \
        "__(extend|trunc)[sdtx]f[sdtx]f2|" \
        "__aeabi_[fd](add|sub|rsub|mul|div|neg|cmp.*|2.*)|__aeabi_u?[il]2[fd]|no_float)$"
}
$1 == "section" && layer_of($2) ~ /^(codec|core)$/ {
    complain($2, "writable data in " $3 " (" $4 " bytes): state belongs to the caller")
}
$1 == "object" {
    path = $2
    if (!(path in seen)) {
        seen[path] = 1
        order[++objects] = path
    }
    if ($4 == "U")
        imports[++uses] = path " " $3
    else if ($4 ~ /^[A-Z]$/)
        home[$3] = home[$3] layer_of(path) " "
    if ($4 !~ /^[A-TV-Z]$/)
        next
    place[layer_of(path), $3] = path
    if (layer_of(path) == "gateway" || path ~ /\/(wheel|tls_server|tls_identity|poller)\.o$/)
        gateway_only[$3] = path
    else
        shared[$3] = 1
}
$1 == "agent" {
    have_agent = 1
    name = $3
    if (name ~ allocator) found["allocator"] = found["allocator"] "#   " name "\n"
    if (name ~ stdio) found["stdio"] = found["stdio"] "#   " name "\n"
    if (name ~ host_database) found["names"] = found["names"] "#   " name "\n"
    if (name ~ locale) found["locale"] = found["locale"] "#   " name "\n"
    if (name ~ float_helper) found["float"] = found["float"] "#   " name "\n"
    if (name in gateway_only && !(name in shared))
        found["gateway"] = found["gateway"] "#   " name " of " gateway_only[name] "\n"
}
# musl and our own start (board/start.c), which does not prepare these.
$1 == "agent" && $3 == "___errno_location" { own_start = 1 }
$1 == "agent" && $3 == "__init_tls" { musl_start = 1 }
$1 == "before-main" { unprepared = unprepared "#   section " $2 "\n" }
$1 == "flash" || $1 == "ram" {
    used[$1] = $2
    limit[$1] = $3
}
END {
    for (i = 1; i <= uses; i++) {
        split(imports[i], use, " ")
        mine = layer_of(use[1])
        if (use[2] in home) {
            split(home[use[2]], homes, " ")
            good = 0
            for (h in homes)
                good = good || index(may[mine], " " homes[h] " ") > 0
            if (!good)
                complain(use[1], use[2] " belongs to src/" homes[1] ", not for src/" mine)
        } else if (mine ~ /^(codec|core)$/ && use[2] !~ pure_imports) {
            complain(use[1], use[2] " is not for a pure layer")
        }
        other = place[mine, use[2]]
        if (other != "" && other != use[1])
            uses_of[use[1]] = uses_of[use[1]] " " other
    }
    for (i = 1; i <= objects; i++) {
        split("", been)
        if (leads(order[i], order[i]))
            complain(order[i], "uses files that use it: a circle")
    }
    for (i = 1; i <= objects; i++) {
        path = order[i]
        if (!(layer_of(path) in may))
            complain(path, "belongs to no layer")
        report(!(path in complaints), path " keeps to its layer", complaints[path])
    }
    if (have_agent) {
        report(!("allocator" in found), "the agent has no allocator", found["allocator"])
        report(!("stdio" in found), "the agent has no stdio", found["stdio"])
        report(!("names" in found), "the agent has no host database", found["names"])
        report(!("locale" in found), "the agent has no locale", found["locale"])
        report(!("float" in found), "the agent has no floating point", found["float"])
        report(!("gateway" in found), "the agent has nothing of the gateway", found["gateway"])
        if (own_start && !musl_start)
            report(unprepared == "", "the agent needs nothing before main", unprepared)
        if (limit["flash"] > 0)
            report(used["flash"] <= limit["flash"],
                   "the agent fits its flash: " used["flash"] " of " limit["flash"] " bytes")
        if (limit["ram"] > 0)
            report(used["ram"] <= limit["ram"],
                   "the agent fits its memory: " used["ram"] " of " limit["ram"] " bytes")
    }
    printf "1..%d\n", count
    close("cat 1>&2")
    exit failed > 0 || count == 0
}'
