/** How operators move facts. Names of the ONNX standard, opset 1 to 28. */
const set = (names: string): ReadonlySet<string> => new Set(names.split(' '));

/** Layers that mix their input with learned weights: what lies behind them is a feature, not a part of the input. */
export const LEARNED = set(
  'MatMul Gemm Conv ConvTranspose ConvInteger MatMulInteger QLinearConv QLinearMatMul LSTM GRU RNN Einsum Attention DeformConv ' +
    'LinearClassifier LinearRegressor SVMClassifier SVMRegressor TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor TfIdfVectorizer ' +
    'FusedConv FusedGemm FusedMatMul QGemm QAttention MultiHeadAttention GroupQueryAttention MatMulNBits EmbedLayerNormalization DynamicQuantizeMatMul',
);
export const COMPARISONS = set('Equal Less Greater LessOrEqual GreaterOrEqual IsNaN IsInf RegexFullMatch');
/** Comparisons by other means: functions with a step. */
export const STEPS = set(
  'Sign Floor Ceil Round Clip Relu HardSigmoid Sigmoid Tanh ThresholdedRelu Shrink Mod ArgMax ArgMin TopK Hardmax OneHot BitShift ' +
    'BitwiseAnd BitwiseOr BitwiseXor BitwiseNot Binarizer Max Min Softsign Erf HardSwish Softmax LabelEncoder CategoryMapper',
);
export const REDUCTIONS = set(
  'ReduceMin ReduceMax ReduceSum ReduceProd ReduceMean ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp ArgMax ArgMin TopK ' +
    'GlobalAveragePool GlobalMaxPool GlobalLpPool Det',
);
export const SELECTIONS = set('Slice Gather GatherND GatherElements Split SequenceAt ArrayFeatureExtractor');
/** Operators whose further inputs are shapes, sizes or places and not values. */
export const FIRST_ONLY = set(
  'Expand Tile Reshape Slice Unsqueeze Squeeze Resize Upsample Split ReduceMin ReduceMax ReduceSum ReduceProd ReduceMean ReduceL1 ReduceL2 ' +
    'ReduceSumSquare ReduceLogSum ReduceLogSumExp Cast CastLike CumSum TopK Dropout Trilu CenterCropPad',
);
/** Makers of constants with unequal entries. */
export const UNEVEN = set('Concat OneHot Range ScatterND ScatterElements Scatter EyeLike Pad Trilu TensorScatter');
export const COMBINING = set(
  'Mul Add Sub Div Max Min Pow Sum Mean PRelu And Or Xor BitwiseAnd BitwiseOr BitwiseXor Mod FMod',
);
export const RANDOM = set('RandomNormal RandomNormalLike RandomUniform RandomUniformLike Bernoulli Multinomial');
/** The number of elements that come out depends on the values that go in. */
export const SIZING = set('NonZero Compress Unique NonMaxSuppression StringSplit SplitToSequence SequenceErase');
/** The same entries in another shape. */
export const SAME_VALUE = set('Identity Squeeze Unsqueeze Reshape Flatten');
/** Reading out of the first input at the place that the second names. */
export const LOOKUPS = set('Gather GatherND GatherElements SequenceAt Compress');
