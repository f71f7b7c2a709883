/* Stand-ins for the compiler's software floating point, for boards whose toolchain brings none.
 * Nothing of ours computes with floats, but the C library's printf refers to them from its %f. Tests and the
 * gateway may link printf; a call that really happens traps. The agent never links this file.
 */
void no_float(void);

void no_float(void)
{
    __builtin_trap();
}

#define NO_FLOAT(name) void name(void) __attribute__((alias("no_float")))

NO_FLOAT(__adddf3);
NO_FLOAT(__subdf3);
NO_FLOAT(__muldf3);
NO_FLOAT(__divdf3);
NO_FLOAT(__negdf2);
NO_FLOAT(__eqdf2);
NO_FLOAT(__nedf2);
NO_FLOAT(__ltdf2);
NO_FLOAT(__ledf2);
NO_FLOAT(__gtdf2);
NO_FLOAT(__gedf2);
NO_FLOAT(__unorddf2);
NO_FLOAT(__fixdfsi);
NO_FLOAT(__fixdfdi);
NO_FLOAT(__fixunsdfsi);
NO_FLOAT(__fixunsdfdi);
NO_FLOAT(__floatsidf);
NO_FLOAT(__floatdidf);
NO_FLOAT(__floatunsidf);
NO_FLOAT(__floatundidf);
