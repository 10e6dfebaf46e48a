import type { IncomingMessage } from 'node:http';
import { Global, Module, RequestMethod, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { LoggerModule } from 'nestjs-pino';
import { ApprovalsController } from './approvals/approvals.controller.ts';
import { FailedAttempts } from './authentication/failed-attempts.ts';
import { PeopleController } from './authentication/people.controller.ts';
import { PersonGuard } from './authentication/person.ts';
import { ConsoleController } from './console/console.controller.ts';
import { EndpointsController } from './endpoints/endpoints.controller.ts';
import { EvidenceController } from './evidence/evidence.controller.ts';
import { GoldenController } from './golden/golden.controller.ts';
import { HealthController } from './health/health.controller.ts';
import { Metrics } from './health/metrics.ts';
import { IncidentsController } from './incidents/incidents.controller.ts';
import { AlertIntake } from './intake/intake.ts';
import { Door } from './intake/door.ts';
import { MappedController } from './intake/mapped.controller.ts';
import { controllerOf } from './intake/source-controller.ts';
import { SOURCES } from './intake/sources/index.ts';
import { DEPS, type ApiDeps } from './ports.ts';
import { ProblemFilter } from './problem-filter.ts';
import { RouteTable } from './route-table.ts';
import { TrainingController } from './training/training.controller.ts';

@Module({
  controllers: [...SOURCES.map(controllerOf), MappedController],
  providers: [AlertIntake, Door],
  exports: [AlertIntake],
})
export class IntakeModule {}

@Module({ imports: [IntakeModule], controllers: [IncidentsController] })
export class IncidentsModule {}

@Module({ controllers: [ApprovalsController, PeopleController] })
export class ApprovalsModule {}

@Module({ controllers: [EvidenceController] })
export class EvidenceModule {}

@Module({ controllers: [GoldenController, TrainingController] })
export class GoldenModule {}

@Module({ controllers: [EndpointsController, HealthController] })
export class HealthModule {}

@Module({ controllers: [ConsoleController] })
export class ConsoleModule {}

/** What every module may ask for. */
@Global()
@Module({})
export class SharedModule {
  static with(deps: ApiDeps): DynamicModule {
    const shared = [{ provide: DEPS, useValue: deps }, FailedAttempts, PersonGuard, RouteTable, Metrics];
    return {
      module: SharedModule,
      providers: [...shared, { provide: APP_FILTER, useClass: ProblemFilter }],
      exports: shared,
    };
  }
}

@Module({})
export class ApiModule {
  static with(deps: ApiDeps): DynamicModule {
    const logger = LoggerModule.forRoot({
      forRoutes: [{ path: '{*all}', method: RequestMethod.ALL }],
      pinoHttp: {
        level: deps.log.level,
        // Headers carry tokens and signatures, which MUST NOT reach a log; none of them is needed there.
        serializers: {
          req: ({ id, method, url, remoteAddress }: Record<string, unknown>) => ({ id, method, url, remoteAddress }),
          res: ({ statusCode }: { statusCode: number }) => ({ statusCode }),
        },
        autoLogging: { ignore: (request) => QUIET.has(pathOf(request)) },
      },
    });
    return {
      module: ApiModule,
      imports: [
        logger,
        SharedModule.with(deps),
        IntakeModule,
        IncidentsModule,
        ApprovalsModule,
        EvidenceModule,
        GoldenModule,
        HealthModule,
        ConsoleModule,
      ],
    };
  }
}

/** Asked every few seconds by machines. */
const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/** Middleware sees the path cut down to what it is mounted on; the whole of it stays in `originalUrl`. */
function pathOf(request: IncomingMessage): string {
  return 'originalUrl' in request && typeof request.originalUrl === 'string'
    ? request.originalUrl
    : (request.url ?? '');
}
