/**
 * The messages of onnx.proto3 (github.com/onnx/onnx, IR version 13) as `number:kind`, `*` where repeated. Everything that this table does not
 * name is an unknown field: a place that the engine skips and that a payload can lie in.
 */
const MESSAGES = {
  AttributeProto:
    '1:text 2:float 3:int 4:bytes 5:TensorProto 6:GraphProto 7:float* 8:int* 9:bytes* 10:TensorProto* 11:GraphProto* 13:text 14:TypeProto 15:TypeProto* 20:int 21:text 22:SparseTensorProto 23:SparseTensorProto*',
  ValueInfoProto: '1:text 2:TypeProto 3:text 4:StringStringEntryProto*',
  NodeProto:
    '1:text* 2:text* 3:text 4:text 5:AttributeProto* 6:text 7:text 8:text 9:StringStringEntryProto* 10:NodeDeviceConfigurationProto*',
  IntIntListEntryProto: '1:int 2:int*',
  NodeDeviceConfigurationProto: '1:text 2:ShardingSpecProto* 3:int',
  ShardingSpecProto: '1:text 2:int* 3:IntIntListEntryProto* 4:ShardedDimProto*',
  ShardedDimProto: '1:int 2:SimpleShardedDimProto*',
  SimpleShardedDimProto: '1:int 2:text 3:int',
  TrainingInfoProto: '1:GraphProto 2:GraphProto 3:StringStringEntryProto* 4:StringStringEntryProto*',
  ModelProto:
    '1:int 2:text 3:text 4:text 5:int 6:text 7:GraphProto 8:OperatorSetIdProto* 14:StringStringEntryProto* 20:TrainingInfoProto* 25:FunctionProto* 26:DeviceConfigurationProto*',
  DeviceConfigurationProto: '1:text 2:int 3:text*',
  StringStringEntryProto: '1:text 2:text',
  TensorAnnotation: '1:text 2:StringStringEntryProto*',
  GraphProto:
    '1:NodeProto* 2:text 5:TensorProto* 10:text 11:ValueInfoProto* 12:ValueInfoProto* 13:ValueInfoProto* 14:TensorAnnotation* 15:SparseTensorProto* 16:StringStringEntryProto*',
  TensorProto:
    '1:int* 2:int 3:TensorProto.Segment 4:float* 5:int* 6:bytes* 7:int* 8:text 9:bytes 10:double* 11:int* 12:text 13:StringStringEntryProto* 14:int 16:StringStringEntryProto*',
  'TensorProto.Segment': '1:int 2:int',
  SparseTensorProto: '1:TensorProto 2:TensorProto 3:int*',
  TensorShapeProto: '1:TensorShapeProto.Dimension*',
  'TensorShapeProto.Dimension': '1:int 2:text 3:text',
  TypeProto:
    '1:TypeProto.Tensor 4:TypeProto.Sequence 5:TypeProto.Map 6:text 7:TypeProto.Opaque 8:TypeProto.SparseTensor 9:TypeProto.Optional',
  'TypeProto.Tensor': '1:int 2:TensorShapeProto',
  'TypeProto.Sequence': '1:TypeProto',
  'TypeProto.Map': '1:int 2:TypeProto',
  'TypeProto.Optional': '1:TypeProto',
  'TypeProto.SparseTensor': '1:int 2:TensorShapeProto',
  'TypeProto.Opaque': '1:text 2:text',
  OperatorSetIdProto: '1:text 2:int',
  FunctionProto:
    '1:text 4:text* 5:text* 6:text* 7:NodeProto* 8:text 9:OperatorSetIdProto* 10:text 11:AttributeProto* 12:ValueInfoProto* 13:text 14:StringStringEntryProto*',
} as const;

export type MessageName = keyof typeof MESSAGES;
export type Scalar = 'int' | 'float' | 'double' | 'text' | 'bytes';
export interface FieldKind {
  readonly kind: Scalar | MessageName;
  readonly repeated: boolean;
}

function parse(fields: string): ReadonlyMap<number, FieldKind> {
  return new Map(
    fields.split(' ').map((field) => {
      const [number = '', kind = ''] = field.split(':');
      return [Number(number), { kind: kind.replace('*', '') as FieldKind['kind'], repeated: kind.endsWith('*') }];
    }),
  );
}

export const SCHEMA: Readonly<Record<MessageName, ReadonlyMap<number, FieldKind>>> = Object.fromEntries(
  Object.entries(MESSAGES).map(([name, fields]) => [name, parse(fields)]),
) as Record<MessageName, ReadonlyMap<number, FieldKind>>;
