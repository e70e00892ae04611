//go:build !purego

#include "textflag.h"

// Registers of the accumulate kernels:
//   DI accumulators, SI digits, CX terms left, BX step in bytes,
//   R8, R9 one and three lane distances in bytes,
//   DX, R10, R11, R12 addresses of lanes 0, 4, 8, 12 of the current term,
//   Z16 digits of the current term, Z17-Z20 products, Z0-Z15 sums.

#define ARGUMENTS                \
	MOVQ acc+0(FP), DI       \
	MOVQ w+8(FP), SI         \
	MOVQ n+16(FP), CX        \
	MOVQ data+24(FP), DX     \
	MOVQ step+32(FP), BX     \
	MOVQ lane+40(FP), R8     \
	SHLQ $2, BX              \
	SHLQ $2, R8              \
	LEAQ (R8)(R8*2), R9      \
	LEAQ (DX)(R8*4), R10     \
	LEAQ (R10)(R8*4), R11    \
	LEAQ (R11)(R8*4), R12

#define LOAD4(off, a, b, c, d)           \
	VMOVDQU64 (off+0)(DI), a         \
	VMOVDQU64 (off+64)(DI), b        \
	VMOVDQU64 (off+128)(DI), c       \
	VMOVDQU64 (off+192)(DI), d

#define STORE4(off, a, b, c, d)          \
	VMOVDQU64 a, (off+0)(DI)         \
	VMOVDQU64 b, (off+64)(DI)        \
	VMOVDQU64 c, (off+128)(DI)       \
	VMOVDQU64 d, (off+192)(DI)

// TERM4 adds the products of the current term with four lanes from base on.
#define TERM4(base, a, b, c, d)              \
	VPBROADCASTD (base), Z17             \
	VPBROADCASTD (base)(R8*1), Z18       \
	VPBROADCASTD (base)(R8*2), Z19       \
	VPBROADCASTD (base)(R9*1), Z20       \
	VPMULDQ      Z16, Z17, Z17           \
	VPMULDQ      Z16, Z18, Z18           \
	VPMULDQ      Z16, Z19, Z19           \
	VPMULDQ      Z16, Z20, Z20           \
	VPADDQ       Z17, a, a               \
	VPADDQ       Z18, b, b               \
	VPADDQ       Z19, c, c               \
	VPADDQ       Z20, d, d               \
	ADDQ         BX, base

// func accumulate4(acc *accumulators, w *digits, n int, data *int32, step, lane int)
TEXT ·accumulate4(SB), NOSPLIT, $0-48
	ARGUMENTS
	LOAD4(0, Z0, Z1, Z2, Z3)

loop4:
	VPMOVSXDQ (SI), Z16
	TERM4(DX, Z0, Z1, Z2, Z3)
	ADDQ      $32, SI
	DECQ      CX
	JNZ       loop4
	STORE4(0, Z0, Z1, Z2, Z3)
	VZEROUPPER
	RET

// func accumulate8(acc *accumulators, w *digits, n int, data *int32, step, lane int)
TEXT ·accumulate8(SB), NOSPLIT, $0-48
	ARGUMENTS
	LOAD4(0, Z0, Z1, Z2, Z3)
	LOAD4(256, Z4, Z5, Z6, Z7)

loop8:
	VPMOVSXDQ (SI), Z16
	TERM4(DX, Z0, Z1, Z2, Z3)
	TERM4(R10, Z4, Z5, Z6, Z7)
	ADDQ      $32, SI
	DECQ      CX
	JNZ       loop8
	STORE4(0, Z0, Z1, Z2, Z3)
	STORE4(256, Z4, Z5, Z6, Z7)
	VZEROUPPER
	RET

// func accumulate16(acc *accumulators, w *digits, n int, data *int32, step, lane int)
TEXT ·accumulate16(SB), NOSPLIT, $0-48
	ARGUMENTS
	LOAD4(0, Z0, Z1, Z2, Z3)
	LOAD4(256, Z4, Z5, Z6, Z7)
	LOAD4(512, Z8, Z9, Z10, Z11)
	LOAD4(768, Z12, Z13, Z14, Z15)

loop16:
	VPMOVSXDQ (SI), Z16
	TERM4(DX, Z0, Z1, Z2, Z3)
	TERM4(R10, Z4, Z5, Z6, Z7)
	TERM4(R11, Z8, Z9, Z10, Z11)
	TERM4(R12, Z12, Z13, Z14, Z15)
	ADDQ      $32, SI
	DECQ      CX
	JNZ       loop16
	STORE4(0, Z0, Z1, Z2, Z3)
	STORE4(256, Z4, Z5, Z6, Z7)
	STORE4(512, Z8, Z9, Z10, Z11)
	STORE4(768, Z12, Z13, Z14, Z15)
	VZEROUPPER
	RET

// MAGNITUDE adds the entries of Z1 to the magnitude in Z0.
#define MAGNITUDE              \
	VPSRAD $31, Z1, Z2     \
	VPXORD Z1, Z2, Z1      \
	VPORD  Z1, Z0, Z0

// RESULT folds the lanes of Z0 to AX.
#define RESULT                         \
	VEXTRACTI64X4 $1, Z0, Y1       \
	VPOR          Y1, Y0, Y0       \
	VEXTRACTI128  $1, Y0, X1       \
	VPOR          X1, X0, X0       \
	VPSHUFD       $0x4e, X0, X1    \
	VPOR          X1, X0, X0       \
	VPSHUFD       $0xb1, X0, X1    \
	VPOR          X1, X0, X0       \
	VMOVD         X0, AX

// func magnitude(data *int32, n int) uint32
TEXT ·magnitude(SB), NOSPLIT, $0-20
	MOVQ   data+0(FP), SI
	MOVQ   n+8(FP), CX
	VPXORD Z0, Z0, Z0

scan:
	VMOVDQU32 (SI), Z1
	MAGNITUDE
	ADDQ      $64, SI
	DECQ      CX
	JNZ       scan
	RESULT
	MOVL      AX, ret+16(FP)
	VZEROUPPER
	RET

// func gather(dst, data *int32, n, step int) uint32
TEXT ·gather(SB), NOSPLIT, $0-36
	MOVQ   dst+0(FP), DI
	MOVQ   data+8(FP), SI
	MOVQ   n+16(FP), CX
	MOVQ   step+24(FP), BX
	SHLQ   $2, BX
	VPXORD Z0, Z0, Z0

row:
	VMOVDQU32  (SI), Z1
	PREFETCHT0 64(SI)
	VMOVDQU32  Z1, (DI)
	MAGNITUDE
	ADDQ       BX, SI
	ADDQ       $64, DI
	DECQ       CX
	JNZ        row
	RESULT
	MOVL       AX, ret+32(FP)
	VZEROUPPER
	RET
