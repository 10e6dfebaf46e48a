import {
  Metadata,
  Server,
  ServerCredentials,
  status as codes,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import type { ListenAddress } from '../../domain/contracts/environment.ts';
import { InferenceProblem, type InferenceProblemKind } from '../inference/problem.ts';
import { MAX_BODY_BYTES } from '../inference/message.ts';
import { newRequestId, wordOf, type Surface } from '../inference/surface.ts';
import type { GatewayLog } from '../ports.ts';
import { readGrpcInference, writeGrpcAnswer } from './infer.ts';
import { codec, type GrpcInferRequest, type MessageName, type NamedRequest } from './messages.ts';

/** Open Inference Protocol v2 over gRPC: `inference.GRPCInferenceService`. */
export interface GrpcServer {
  /** Resolves with the port. */
  listen(address: ListenAddress): Promise<number>;
  /** Answers what is under way, then stops. */
  close(): Promise<void>;
}

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const CODES: Readonly<Record<InferenceProblemKind, codes>> = {
  'malformed-request': codes.INVALID_ARGUMENT,
  'not-found': codes.NOT_FOUND,
  'not-allowed': codes.PERMISSION_DENIED,
  blocked: codes.PERMISSION_DENIED,
  limited: codes.RESOURCE_EXHAUSTED,
  'too-large': codes.RESOURCE_EXHAUSTED,
  'model-failed': codes.INTERNAL,
  isolated: codes.UNAVAILABLE,
  overloaded: codes.UNAVAILABLE,
};

type Call = ServerUnaryCall<unknown, object>;

export function createGrpcServer(deps: { readonly surface: Surface; readonly log: GatewayLog }): GrpcServer {
  const { surface } = deps;
  const server = new Server({
    'grpc.max_receive_message_length': MAX_BODY_BYTES,
    'grpc.max_send_message_length': MAX_BODY_BYTES,
  });

  const methods: Record<
    string,
    readonly [MessageName, MessageName, (request: never, call: Call) => object | Promise<object>]
  > = {
    ServerLive: ['Empty', 'Live', () => ({ live: true })],
    ServerReady: ['Empty', 'Ready', () => ({ ready: surface.ready() })],
    ServerMetadata: ['Empty', 'ServerMetadata', () => surface.server],
    ModelReady: [
      'Named',
      'Ready',
      (asked: NamedRequest) => ({ ready: surface.modelReady(asked.name, asked.version || undefined) }),
    ],
    ModelMetadata: [
      'Named',
      'ModelMetadata',
      (asked: NamedRequest) => surface.metadata(asked.name, asked.version || undefined),
    ],
    RepositoryIndex: ['IndexRequest', 'Index', () => ({ models: surface.index() })],
    ModelInfer: [
      'InferRequest',
      'InferResponse',
      async (asked: GrpcInferRequest, call: Call) => {
        const said = (key: string) => wordOf(call.metadata.get(key)[0]);
        const { answer } = await surface.infer(asked.modelName, () =>
          readGrpcInference(asked, {
            client: said('x-client-id') ?? addressOf(call.getPeer()),
            address: addressOf(call.getPeer()),
            newId: () => said('x-request-id') ?? newRequestId(),
          }),
        );
        return writeGrpcAnswer(answer);
      },
    ],
  };

  for (const [name, [takes, gives, act]] of Object.entries(methods)) {
    const [request, response] = [codec(takes), codec(gives)];
    server.register(
      `/inference.GRPCInferenceService/${name}`,
      (call: Call, done: sendUnaryData<object>) => {
        // In a promise: a handler that throws at once would end the process.
        void new Promise<object>((resolve) => resolve(act(call.request as never, call))).then(
          (value) => done(null, value),
          (error: unknown) => done(refusal(error, deps.log)),
        );
      },
      response.encode,
      request.decode,
      'unary',
    );
  }

  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
        server.bindAsync(place, ServerCredentials.createInsecure(), (error, bound) => {
          if (error) reject(error);
          else resolve(bound);
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.tryShutdown(() => resolve());
      }),
  };
}

function refusal(error: unknown, log: GatewayLog) {
  const problem =
    error instanceof InferenceProblem
      ? error
      : new InferenceProblem('model-failed', 'The request failed.', { cause: error });
  if (problem.status === 500) log.error({ err: problem.cause ?? error }, 'a request failed');
  const metadata = new Metadata();
  // gRFC A6: a client that retries by policy waits this long.
  if (problem.retryAfter !== null) metadata.set('grpc-retry-pushback-ms', String(1000 * problem.retryAfter));
  return { code: CODES[problem.kind], details: problem.message, metadata };
}

/** `127.0.0.1:4711`: a client keeps its address when it connects anew. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, '');
}
