/* cmd_lsp.c - cg lsp: a language server over stdin and stdout.
 * Takes messages of the Language Server Protocol, each behind a Content-Length; gives answers, and the mistakes of a
 * document whenever it changes. A message that makes no sense is answered with an error and ends nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/lsp.h"
#include "tool/tool.h"

enum { PARSE_ERROR = -32700, INVALID_REQUEST = -32600, METHOD_NOT_FOUND = -32601, INVALID_PARAMS = -32602 };
enum { LONGEST = 64 * 1024 * 1024 };

typedef struct Server {
    CgEditor editor;
    bool shut, over;
} Server;

static void send(json_t *message)
{
    json_object_set_new(message, "jsonrpc", json_string("2.0"));
    char *text = json_dumps(message, JSON_COMPACT);
    if (text) {
        printf("Content-Length: %zu\r\n\r\n%s", strlen(text), text);
        fflush(stdout);
    }
    free(text);
    json_decref(message);
}

static void send_error(json_t *id, int code, const char *text)
{
    json_t *known = id ? json_incref(id) : json_null();
    send(json_pack("{s:o, s:{s:i, s:s}}", "id", known, "error", "code", code, "message", text));
}

/* ---- methods ---- */

/* NULL: the parameters name no open document. */
static const CgDocument *document_of(Server *s, json_t *params)
{
    const char *uri = json_string_value(json_object_get(json_object_get(params, "textDocument"), "uri"));
    return uri ? cg_editor_find(&s->editor, uri) : NULL;
}

/* Likewise, and where they do not say which place of it. */
static const CgDocument *document_at(Server *s, json_t *params)
{
    return json_is_object(json_object_get(params, "position")) ? document_of(s, params) : NULL;
}

static uint32_t offset_of(const CgDocument *d, json_t *params)
{
    return cg_offset_of(d->text, json_object_get(params, "position"));
}

static json_t *initialize(Server *s, json_t *params)
{
    (void)s;
    (void)params;
    return json_pack("{s:{s:i, s:b, s:b, s:b, s:b, s:b, s:b, s:{s:[s]}}, s:{s:s, s:s}}", "capabilities",
        "textDocumentSync", 1, "hoverProvider", 1, "definitionProvider", 1, "referencesProvider", 1, "renameProvider",
        1, "documentFormattingProvider", 1, "codeActionProvider", 1, "completionProvider", "triggerCharacters", ".",
        "serverInfo", "name", "cg", "version", PACKAGE_VERSION);
}

static json_t *shutdown_server(Server *s, json_t *params)
{
    (void)params;
    s->shut = true;
    return json_null();
}

static json_t *rename_all(Server *s, json_t *params)
{
    const CgDocument *d = document_at(s, params);
    const char *name = json_string_value(json_object_get(params, "newName"));
    return d && name ? cg_answer_rename(&s->editor, d, offset_of(d, params), name) : NULL;
}

static json_t *formatting(Server *s, json_t *params)
{
    const CgDocument *d = document_of(s, params);
    return d ? cg_answer_formatting(d) : NULL;
}

static json_t *actions(Server *s, json_t *params)
{
    const CgDocument *d = document_of(s, params);
    json_t *range = json_object_get(params, "range");
    return d ? cg_answer_actions(&s->editor, d, cg_offset_of(d->text, json_object_get(range, "start")),
               cg_offset_of(d->text, json_object_get(range, "end")))
             : NULL;
}

/* Where an answer is NULL, the parameters make no sense. */
typedef struct Request {
    const char *method;
    json_t *(*answer)(Server *s, json_t *params);
    json_t *(*at)(CgEditor *editor, const CgDocument *d, uint32_t at); /* of a position in a document, instead */
} Request;

static const Request requests[] = {
    { "initialize", .answer = initialize },
    { "shutdown", .answer = shutdown_server },
    { "textDocument/hover", .at = cg_answer_hover },
    { "textDocument/definition", .at = cg_answer_definition },
    { "textDocument/references", .at = cg_answer_references },
    { "textDocument/completion", .at = cg_answer_completion },
    { "textDocument/rename", .answer = rename_all },
    { "textDocument/formatting", .answer = formatting },
    { "textDocument/codeAction", .answer = actions },
};

static json_t *answer_to(const Request *r, Server *s, json_t *params)
{
    if (!r->at)
        return r->answer(s, params);
    const CgDocument *d = document_at(s, params);
    return d ? r->at(&s->editor, d, offset_of(d, params)) : NULL;
}

/* ---- notifications ---- */

/* A change may mend or break what imports it: the mistakes of every open document are said anew. */
static void publish(Server *s)
{
    for (size_t i = 0; i < s->editor.open.len; i++) {
        const CgDocument *d = &s->editor.open.at[i];
        send(json_pack("{s:s, s:{s:s, s:o}}", "method", "textDocument/publishDiagnostics", "params", "uri", d->uri,
            "diagnostics", cg_answer_diagnostics(&s->editor, d)));
    }
}

static void notice(Server *s, const char *method, json_t *params)
{
    json_t *document = json_object_get(params, "textDocument");
    const char *uri = json_string_value(json_object_get(document, "uri"));
    json_t *changes = json_object_get(params, "contentChanges");
    const char *text = !strcmp(method, "textDocument/didOpen")
        ? json_string_value(json_object_get(document, "text"))
        : json_string_value(json_object_get(json_array_get(changes, json_array_size(changes) - 1), "text"));
    if (!strcmp(method, "exit")) {
        s->over = true;
    } else if (uri && !strcmp(method, "textDocument/didClose")) {
        cg_editor_close(&s->editor, uri);
        send(json_pack(
            "{s:s, s:{s:s, s:[]}}", "method", "textDocument/publishDiagnostics", "params", "uri", uri, "diagnostics"));
        publish(s);
    } else if (uri && text && (!strcmp(method, "textDocument/didOpen") || !strcmp(method, "textDocument/didChange"))) {
        if (cg_editor_put(&s->editor, uri, text))
            publish(s);
    }
}

static void take(Server *s, json_t *message)
{
    json_t *id = json_object_get(message, "id"), *params = json_object_get(message, "params");
    const char *method = json_string_value(json_object_get(message, "method"));
    if (!method) {
        if (!json_object_get(message, "result") && !json_object_get(message, "error"))
            send_error(id, INVALID_REQUEST, "a message has a method");
        return;
    }
    if (!id) {
        notice(s, method, params);
        return;
    }
    for (size_t i = 0; i < CG_LEN(requests); i++) {
        if (strcmp(requests[i].method, method) != 0)
            continue;
        json_t *answer = answer_to(&requests[i], s, params);
        if (answer)
            send(json_pack("{s:O, s:o}", "id", id, "result", answer));
        else
            send_error(id, INVALID_PARAMS, "the document is not open, or a parameter is missing");
        return;
    }
    send_error(id, METHOD_NOT_FOUND, "this server does not know the method");
}

/* ---- frames ---- */

/* The length that the lines before an empty one say; -1 at the end of the input, 0 where none says one. */
static long read_head(void)
{
    char line[512];
    long length = 0;
    while (fgets(line, sizeof line, stdin)) {
        if (!strcmp(line, "\r\n") || !strcmp(line, "\n"))
            return length;
        if (!strncasecmp(line, "Content-Length:", 15))
            length = strtol(line + 15, NULL, 10);
    }
    return -1;
}

static int command(int argc, char **argv)
{
    int exit;
    if (!cg_options(&argc, argv, "\na language server for editors, over stdin and stdout", NULL, 0, &exit))
        return exit;
    if (argc > 1)
        return cg_usage("lsp", "it takes no arguments");
    Server server = { 0 };
    long length;
    while (!server.over && (length = read_head()) >= 0) {
        if (length <= 0 || length > LONGEST) {
            send_error(NULL, PARSE_ERROR, "a message begins with its Content-Length");
            continue;
        }
        char *text = cg_malloc((size_t)length);
        bool whole = fread(text, 1, (size_t)length, stdin) == (size_t)length;
        json_t *message = whole ? cg_json_load(text, (size_t)length, 0, NULL) : NULL;
        free(text);
        if (message)
            take(&server, message);
        else if (whole)
            send_error(NULL, PARSE_ERROR, "the message is no JSON");
        else
            break;
        json_decref(message);
    }
    cg_editor_free(&server.editor);
    return server.shut ? CG_EXIT_OK : CG_EXIT_DIAG; /* as the protocol has it */
}

CG_COMMAND(lsp, "a language server for editors", command)
