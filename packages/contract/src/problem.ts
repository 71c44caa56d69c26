import Type, { type Static } from 'typebox';

/** RFC 9457 problem details, as every refusal is answered (`application/problem+json`). */
export const Problem = Type.Object(
  {
    success: Type.Literal(false),
    code: Type.String({ description: 'Stable machine-readable code; see docs/errors.md.' }),
    type: Type.String({ description: 'Link to the description of the code.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'A sentence that a chatbot may read out.' }),
    requestId: Type.Optional(Type.String()),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String(), message: Type.String() })),
    ),
  },
  { $id: 'Problem', additionalProperties: true },
);
export type Problem = Static<typeof Problem>;
