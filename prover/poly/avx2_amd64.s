//go:build !purego

#include "textflag.h"

// Registers of accumulateAVX2:
//   DI accumulators, SI digits, CX terms left, DX entries of the current term,
//   BX step, R8, R9 one and three lane distances, all in bytes,
//   R10 lanes left, R11 entries of the current lanes,
//   Y14, Y15 even and odd digits of the current term, Y12, Y13 products,
//   Y0-Y7 sums: for each lane those of even digits, those of odd digits.

// DIGITS loads the digits of a term. VPMULDQ reads the low half of a word.
#define DIGITS                       \
	VMOVDQU (SI), Y14            \
	VPSRLQ  $32, Y14, Y15

// LANE adds the products of the current term with one lane.
#define LANE(entry, even, odd)       \
	VPBROADCASTD entry, Y13      \
	VPMULDQ      Y14, Y13, Y12   \
	VPMULDQ      Y15, Y13, Y13   \
	VPADDQ       Y12, even, even \
	VPADDQ       Y13, odd, odd

// NEXT goes to the next term.
#define NEXT(loop)                   \
	ADDQ $32, SI                 \
	ADDQ BX, DX                  \
	DECQ CX                      \
	JNZ  loop

// ADD adds the sums of a lane to the accumulator at off, whose digits are in
// order.
#define ADD(off, even, odd)                  \
	VPUNPCKLQDQ odd, even, Y12           \
	VPUNPCKHQDQ odd, even, Y13           \
	VPERM2I128  $0x20, Y13, Y12, Y14     \
	VPERM2I128  $0x31, Y13, Y12, Y15     \
	VPADDQ      (off+0)(DI), Y14, Y14    \
	VPADDQ      (off+32)(DI), Y15, Y15   \
	VMOVDQU     Y14, (off+0)(DI)         \
	VMOVDQU     Y15, (off+32)(DI)

#define ZERO(even, odd)              \
	VPXOR even, even, even       \
	VPXOR odd, odd, odd

// func accumulateAVX2(lanes int, acc *accumulators, w *digits, n int, data *int32, step, lane int)
TEXT ·accumulateAVX2(SB), NOSPLIT, $0-56
	MOVQ lanes+0(FP), R10
	MOVQ acc+8(FP), DI
	MOVQ data+32(FP), R11
	MOVQ step+40(FP), BX
	MOVQ lane+48(FP), R8
	SHLQ $2, BX
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9

lanes:
	MOVQ  w+16(FP), SI
	MOVQ  n+24(FP), CX
	MOVQ  R11, DX
	ZERO(Y0, Y1)
	ZERO(Y2, Y3)
	CMPQ  R10, $2
	JLT   one
	CMPQ  R10, $4
	JLT   two
	ZERO(Y4, Y5)
	ZERO(Y6, Y7)

four:
	DIGITS
	LANE((DX), Y0, Y1)
	LANE((DX)(R8*1), Y2, Y3)
	LANE((DX)(R8*2), Y4, Y5)
	LANE((DX)(R9*1), Y6, Y7)
	NEXT(four)
	ADD(0, Y0, Y1)
	ADD(64, Y2, Y3)
	ADD(128, Y4, Y5)
	ADD(192, Y6, Y7)
	ADDQ  $256, DI
	LEAQ  (R11)(R8*4), R11
	SUBQ  $4, R10
	JNZ   lanes
	VZEROUPPER
	RET

two:
	DIGITS
	LANE((DX), Y0, Y1)
	LANE((DX)(R8*1), Y2, Y3)
	NEXT(two)
	ADD(0, Y0, Y1)
	ADD(64, Y2, Y3)
	ADDQ  $128, DI
	LEAQ  (R11)(R8*2), R11
	SUBQ  $2, R10
	JNZ   lanes
	VZEROUPPER
	RET

one:
	DIGITS
	LANE((DX), Y0, Y1)
	NEXT(one)
	ADD(0, Y0, Y1)
	VZEROUPPER
	RET

// MAGNITUDE adds the entries of Y2 and Y3 to the magnitude in Y0 and Y1.
#define MAGNITUDE                    \
	VPSRAD $31, Y2, Y4           \
	VPSRAD $31, Y3, Y5           \
	VPXOR  Y2, Y4, Y2            \
	VPXOR  Y3, Y5, Y3            \
	VPOR   Y2, Y0, Y0            \
	VPOR   Y3, Y1, Y1

// RESULT folds the lanes of Y0 and Y1 to AX.
#define RESULT                       \
	VPOR         Y1, Y0, Y0      \
	VEXTRACTI128 $1, Y0, X1      \
	VPOR         X1, X0, X0      \
	VPSHUFD      $0x4e, X0, X1   \
	VPOR         X1, X0, X0      \
	VPSHUFD      $0xb1, X0, X1   \
	VPOR         X1, X0, X0      \
	VMOVD        X0, AX          \
	VZEROUPPER

// func magnitudeAVX2(data *int32, n int) uint32
TEXT ·magnitudeAVX2(SB), NOSPLIT, $0-20
	MOVQ data+0(FP), SI
	MOVQ n+8(FP), CX
	ZERO(Y0, Y1)

scan:
	VMOVDQU (SI), Y2
	VMOVDQU 32(SI), Y3
	MAGNITUDE
	ADDQ    $64, SI
	DECQ    CX
	JNZ     scan
	RESULT
	MOVL    AX, ret+16(FP)
	RET

// 256 bytes ahead are the entries of the next chunk, with neighbouring terms, or
// those of a later tile, with neighbouring lanes.
//
// func gatherAVX2(dst, data *int32, n, step int) uint32
TEXT ·gatherAVX2(SB), NOSPLIT, $0-36
	MOVQ dst+0(FP), DI
	MOVQ data+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ step+24(FP), BX
	SHLQ $2, BX
	ZERO(Y0, Y1)

row:
	VMOVDQU    (SI), Y2
	VMOVDQU    32(SI), Y3
	PREFETCHT0 256(SI)
	VMOVDQU    Y2, (DI)
	VMOVDQU    Y3, 32(DI)
	MAGNITUDE
	ADDQ       BX, SI
	ADDQ       $64, DI
	DECQ       CX
	JNZ        row
	RESULT
	MOVL       AX, ret+32(FP)
	RET
