/** Orders are judged alike by a gateway and by the adapters of other platforms. */
export * from '../../evidence/orders/stance-order.ts';
