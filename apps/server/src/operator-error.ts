/** A fault that the operator can mend; told by its message alone, without a stack. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
}
