/** Words counted at once by one pass of the counting loop; ranges are filled up to a multiple of it. */
export const STEP_BYTES = 32;

/** One vector of the counting loop. x is the exclusive or of the two; x & (x − 1) takes away its lowest set bit. */
const counted = (offset: number) => `
  (local.set $x (v128.xor (v128.load offset=${offset} (local.get $a)) (v128.load offset=${offset} (local.get $b))))
  (local.set $same (i32x4.sub (local.get $same) (i32x4.eq (local.get $x) (local.get $zero))))
  (local.set $signs (i32x4.add (local.get $signs) (i32x4.shr_u (local.get $x) (i32.const 31))))
  (local.set $x (v128.and (local.get $x) (i32x4.add (local.get $x) (local.get $ones))))
  (local.set $x (v128.and (local.get $x) (i32x4.add (local.get $x) (local.get $ones))))
  (local.set $few (i32x4.sub (local.get $few) (i32x4.eq (local.get $x) (local.get $zero))))`;

/** Adds the square of $v to $sum, in float64 and so without a rounding of its own. */
const squared = (sum: string) => `
  (local.set $w (f64x2.promote_low_f32x4 (local.get $v)))
  (local.set ${sum} (f64x2.add (local.get ${sum}) (f64x2.mul (local.get $w) (local.get $w))))
  (local.set $w (f64x2.promote_low_f32x4
    (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $v) (local.get $v))))
  (local.set ${sum} (f64x2.add (local.get ${sum}) (f64x2.mul (local.get $w) (local.get $w))))`;

/**
 * Two kernels over float32 words, suspect at $a and golden at $b up to $end of a. `count` needs the bits only: words that are the same, words
 * whose difference has at most two bits (the same ones among them), and changed signs. `moments` gives the squares of difference, suspect and
 * golden, words of the suspect that are not finite (they add nothing), and words that became zero. Each result is one vector at $out.
 */
export const kernelText = (shared: boolean): string => `
(module
  (memory ${shared ? 'shared 1 65536' : '1'})

  (func "count" (param $a i32) (param $b i32) (param $end i32) (param $out i32)
    (local $x v128) (local $same v128) (local $few v128) (local $signs v128) (local $zero v128) (local $ones v128)
    (local.set $ones (v128.const i32x4 -1 -1 -1 -1))
    (loop $next
      ${counted(0)}
      ${counted(16)}
      (local.set $b (i32.add (local.get $b) (i32.const ${STEP_BYTES})))
      (local.set $a (i32.add (local.get $a) (i32.const ${STEP_BYTES})))
      (br_if $next (i32.lt_u (local.get $a) (local.get $end))))
    (v128.store offset=0 (local.get $out) (local.get $same))
    (v128.store offset=16 (local.get $out) (local.get $few))
    (v128.store offset=32 (local.get $out) (local.get $signs)))

  (func "moments" (param $a i32) (param $b i32) (param $end i32) (param $out i32)
    (local $p v128) (local $q v128) (local $v v128) (local $w v128) (local $bad v128) (local $exponent v128)
    (local $magnitude v128) (local $zero v128)
    (local $difference v128) (local $suspect v128) (local $golden v128) (local $broken v128) (local $emptied v128)
    (local.set $exponent (v128.const i32x4 0x7f800000 0x7f800000 0x7f800000 0x7f800000))
    (local.set $magnitude (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))
    (loop $next
      (local.set $p (v128.load offset=0 (local.get $a)))
      (local.set $q (v128.load offset=0 (local.get $b)))
      (local.set $bad (i32x4.eq (v128.and (local.get $p) (local.get $exponent)) (local.get $exponent)))
      (local.set $broken (i32x4.sub (local.get $broken) (local.get $bad)))
      (local.set $bad (v128.or (local.get $bad)
        (i32x4.eq (v128.and (local.get $q) (local.get $exponent)) (local.get $exponent))))
      (local.set $p (v128.andnot (local.get $p) (local.get $bad)))
      (local.set $q (v128.andnot (local.get $q) (local.get $bad)))
      (local.set $emptied (i32x4.sub (local.get $emptied) (v128.and
        (i32x4.eq (v128.and (local.get $p) (local.get $magnitude)) (local.get $zero))
        (i32x4.ne (v128.and (local.get $q) (local.get $magnitude)) (local.get $zero)))))
      (local.set $v (f32x4.sub (local.get $p) (local.get $q)))
      ${squared('$difference')}
      (local.set $v (local.get $p))
      ${squared('$suspect')}
      (local.set $v (local.get $q))
      ${squared('$golden')}
      (local.set $b (i32.add (local.get $b) (i32.const 16)))
      (local.set $a (i32.add (local.get $a) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $a) (local.get $end))))
    (v128.store offset=0 (local.get $out) (local.get $difference))
    (v128.store offset=16 (local.get $out) (local.get $suspect))
    (v128.store offset=32 (local.get $out) (local.get $golden))
    (v128.store offset=48 (local.get $out) (local.get $broken))
    (v128.store offset=64 (local.get $out) (local.get $emptied))))
`;
