import type {
  IAuthenticateGeneric,
  ICredentialTestRequest,
  ICredentialType,
  INodeProperties,
} from 'n8n-workflow';

export class CalhookApi implements ICredentialType {
  name = 'calhookApi';

  displayName = 'Calhook API';

  icon = { light: 'file:../icons/calhook.svg', dark: 'file:../icons/calhook.dark.svg' } as const;

  documentationUrl = 'https://calhook.example/n8n-nodes-calhook#credentials';

  properties: INodeProperties[] = [
    {
      displayName: 'Base URL',
      name: 'baseUrl',
      type: 'string',
      default: '',
      required: true,
      placeholder: 'https://calendar.example.com',
      description: 'Where your Calhook answers',
    },
    {
      displayName: 'API Key',
      name: 'apiKey',
      type: 'string',
      typeOptions: { password: true },
      default: '',
      required: true,
      placeholder: 'chk_…',
      description: 'Made by "npx calhook keys create", which prints it once',
    },
  ];

  authenticate: IAuthenticateGeneric = {
    type: 'generic',
    properties: { headers: { Authorization: '=Bearer {{$credentials.apiKey}}' } },
  };

  // Every key may ask this, whatever its scopes.
  test: ICredentialTestRequest = {
    request: {
      baseURL: '={{$credentials.baseUrl.replace(/\\/+$/, "")}}',
      url: '/api/keys/current',
    },
    // n8n takes rules of both kinds; its type takes one kind only.
    rules: [
      {
        type: 'responseCode',
        properties: { value: 401, message: 'Calhook does not know this API key' },
      },
      {
        type: 'responseCode',
        properties: { value: 404, message: 'There is no Calhook at this Base URL' },
      },
      {
        // A website that answers everything with a page has no scopes.
        type: 'responseSuccessBody',
        properties: {
          key: 'scopes',
          value: undefined,
          message: 'There is no Calhook at this Base URL',
        },
      },
    ] as unknown as ICredentialTestRequest['rules'] & object,
  };
}
