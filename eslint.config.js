import tseslint from 'typescript-eslint';

/** Few rules, each for a kind of mistake that types alone do not catch. Layout is prettier's, arrows are dependency-cruiser's. */
export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      '.cache/',
      '.lazaret/',
      'trainer/',
      'test/vectors/',
      'test/replay/',
      'coverage/',
    ],
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'off' },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      // A promise nobody waits for fails in silence: in this house that is a lost piece of evidence.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false, attributes: false } },
      ],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'TSEnumDeclaration',
          message: 'Node strips types and cannot run enums: use a const object or a union.',
        },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'prefer-const': 'error',
    },
  },
  {
    // Whoever can open a socket is listed here; see also .dependency-cruiser.json.
    files: ['domain/**', 'workflows/**', 'activities/**', 'forensics/**', 'evidence/**', 'cli/**'],
    rules: { 'no-restricted-globals': ['error', { name: 'fetch', message: 'Sockets are opened in clients/ only.' }] },
  },
  {
    files: ['domain/**', 'workflows/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Pure: randomness is handed in.' },
      ],
    },
  },
);
