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

/* Where long double has 128 bits. */
NO_FLOAT(__addtf3);
NO_FLOAT(__subtf3);
NO_FLOAT(__multf3);
NO_FLOAT(__divtf3);
NO_FLOAT(__eqtf2);
NO_FLOAT(__netf2);
NO_FLOAT(__lttf2);
NO_FLOAT(__letf2);
NO_FLOAT(__gttf2);
NO_FLOAT(__getf2);
NO_FLOAT(__unordtf2);
NO_FLOAT(__fixtfsi);
NO_FLOAT(__fixunstfsi);
NO_FLOAT(__floatsitf);
NO_FLOAT(__floatunsitf);
NO_FLOAT(__extenddftf2);
NO_FLOAT(__trunctfdf2);

/* The same by the names of the ARM run-time ABI. */
NO_FLOAT(__aeabi_dadd);
NO_FLOAT(__aeabi_dsub);
NO_FLOAT(__aeabi_dmul);
NO_FLOAT(__aeabi_ddiv);
NO_FLOAT(__aeabi_dcmpeq);
NO_FLOAT(__aeabi_dcmplt);
NO_FLOAT(__aeabi_dcmple);
NO_FLOAT(__aeabi_dcmpge);
NO_FLOAT(__aeabi_dcmpgt);
NO_FLOAT(__aeabi_dcmpun);
NO_FLOAT(__aeabi_d2iz);
NO_FLOAT(__aeabi_d2uiz);
NO_FLOAT(__aeabi_d2lz);
NO_FLOAT(__aeabi_d2ulz);
NO_FLOAT(__aeabi_i2d);
NO_FLOAT(__aeabi_ui2d);
NO_FLOAT(__aeabi_l2d);
NO_FLOAT(__aeabi_ul2d);
