import { Injectable } from '@nestjs/common';

/** Which methods each path has: what the router knows and does not tell. */
@Injectable()
export class RouteTable {
  private readonly routes: { readonly path: RegExp; readonly method: string }[] = [];

  add(method: string, url: string): void {
    const pattern = url
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
      .join('/');
    this.routes.push({ path: new RegExp(`^${pattern}/?$`), method });
  }

  methodsOf(path: string): readonly string[] {
    const methods = this.routes.filter((route) => route.path.test(path)).map((route) => route.method);
    return [...new Set(methods)].sort();
  }
}
