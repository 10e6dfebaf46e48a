import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Person } from '../../domain/contracts/configuration.ts';
import { Caller, PersonGuard } from './person.ts';

@ApiTags('people')
@ApiBearerAuth()
@UseGuards(PersonGuard)
@Controller('v1/me')
export class PeopleController {
  @Get()
  @ApiOperation({ summary: 'Who the token belongs to, and the roles they may decide in' })
  me(@Caller() { id, name, roles }: Person): Pick<Person, 'id' | 'name' | 'roles'> {
    return { id, name, roles };
  }
}
