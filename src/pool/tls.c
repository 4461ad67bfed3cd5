#include "pool/tls.h"

#include "base/diag.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

struct itsi_tls {
    SSL_CTX *context;
    struct itsi_tls_files files;
};

struct itsi_tls_session {
    SSL *ssl;
    BIO *in, *out; /* the SSL's own */
    char host[256];
};

static const char *last_error(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    return reason ? reason : "unknown error";
}

static int load_files(SSL_CTX *context, const struct itsi_tls_files *files, struct its_diag *diag)
{
    ERR_clear_error();
    if (files->ca_file[0] ? !SSL_CTX_load_verify_locations(context, files->ca_file, NULL)
                          : !SSL_CTX_set_default_verify_paths(context))
        return itsi_fail(diag, ITS_EINVAL, "ssl_ca_certs '%s': %s", files->ca_file, last_error());
    if (files->cert_file[0] && !SSL_CTX_use_certificate_chain_file(context, files->cert_file))
        return itsi_fail(diag, ITS_EINVAL, "ssl_certfile '%s': %s", files->cert_file, last_error());
    const char *key = files->key_file[0] ? files->key_file : files->cert_file;
    if (key[0] && (!SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) || !SSL_CTX_check_private_key(context)))
        return itsi_fail(diag, ITS_EINVAL, "ssl_keyfile '%s': %s", key, last_error());
    return 0;
}

/* Of OpenSSL's own accord it would be asked for at the terminal, or of the standard input, and waited for. */
static int no_passphrase(char *out, int size, int is_writing, void *self)
{
    (void)out, (void)size, (void)is_writing, (void)self;
    return -1;
}

int itsi_tls_create(struct itsi_tls **out, const struct itsi_tls_files *files, struct its_diag *diag)
{
    struct itsi_tls *tls = itsi_zalloc(sizeof *tls);
    if (!tls)
        return itsi_fail(diag, ITS_ENOMEM, "TLS: out of memory");
    tls->files = *files;
    tls->context = SSL_CTX_new(TLS_client_method());
    int rc = tls->context ? 0 : itsi_fail(diag, ITS_ENOMEM, "TLS: %s", last_error());
    if (!rc) {
        SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
        /* the write buffer may move between two tries of one write, which memory BIOs never need */
        SSL_CTX_set_mode(tls->context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
        SSL_CTX_set_verify(tls->context, files->is_unchecked ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_default_passwd_cb(tls->context, no_passphrase);
        rc = load_files(tls->context, files, diag);
    }
    if (rc) {
        itsi_tls_destroy(tls);
        return rc;
    }
    *out = tls;
    return 0;
}

void itsi_tls_destroy(struct itsi_tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    itsi_free(tls);
}

/* The name goes to the server (SNI) when it is one, and is what the certificate is held against. */
static bool expect_host(SSL *ssl, const char *host, const struct itsi_tls_files *files)
{
    unsigned char address[16];
    bool is_address = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    if (!is_address && !SSL_set_tlsext_host_name(ssl, host))
        return false;
    if (files->is_unchecked || files->any_name)
        return true;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) : SSL_set1_host(ssl, host);
}

int itsi_tls_session_create(struct itsi_tls_session **out, struct itsi_tls *tls, const char *host, struct its_diag *diag)
{
    struct itsi_tls_session *s = itsi_zalloc(sizeof *s);
    if (!s)
        return itsi_fail(diag, ITS_ENOMEM, "TLS: out of memory");
    size_t len = strnlen(host, sizeof s->host - 1);
    memcpy(s->host, host, len);
    s->ssl = SSL_new(tls->context);
    s->in = BIO_new(BIO_s_mem());
    s->out = BIO_new(BIO_s_mem());
    if (!s->ssl || !s->in || !s->out) {
        BIO_free(s->in);
        BIO_free(s->out);
        SSL_free(s->ssl);
        itsi_free(s);
        return itsi_fail(diag, ITS_ENOMEM, "TLS: out of memory");
    }
    SSL_set_bio(s->ssl, s->in, s->out); /* which owns them from here */
    SSL_set_connect_state(s->ssl);
    if (!expect_host(s->ssl, s->host, &tls->files)) {
        itsi_tls_session_destroy(s);
        return itsi_fail(diag, ITS_EINVAL, "TLS: '%s' is no host name", host);
    }
    *out = s;
    return 0;
}

void itsi_tls_session_destroy(struct itsi_tls_session *s)
{
    if (!s)
        return;
    SSL_free(s->ssl);
    itsi_free(s);
}

int itsi_tls_feed(struct itsi_tls_session *s, const char *data, size_t len, struct its_diag *diag)
{
    if (len > INT_MAX || BIO_write(s->in, data, (int)len) != (int)len)
        return itsi_fail(diag, ITS_ENOMEM, "TLS: out of memory");
    return 0;
}

static int fail_untrusted(const struct itsi_tls_session *s, long verdict, struct its_diag *diag)
{
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
        return itsi_fail(diag, ITS_EAUTH, "TLS: the server's certificate is not for '%s'", s->host);
    return itsi_fail(diag, ITS_EAUTH, "TLS: the server's certificate is not trusted: %s",
                     X509_verify_cert_error_string(verdict));
}

/* The one place that translates OpenSSL's outcomes. */
static int outcome(const struct itsi_tls_session *s, int result, struct its_diag *diag)
{
    switch (SSL_get_error(s->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return ITS_EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return ITS_EEOF;
    default:
        break;
    }
    long verdict = SSL_get_verify_result(s->ssl);
    if (SSL_get_verify_mode(s->ssl) != SSL_VERIFY_NONE && verdict != X509_V_OK)
        return fail_untrusted(s, verdict, diag);
    /* alerts that say the server wants another certificate of us, or none at all */
    int reason = ERR_GET_REASON(ERR_peek_last_error());
    bool is_refusal = reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED || reason == SSL_R_TLSV1_ALERT_UNKNOWN_CA ||
                      reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE || reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE;
    return itsi_fail(diag, is_refusal ? ITS_EAUTH : ITS_EIO, "TLS: %s", last_error());
}

int itsi_tls_greet(struct itsi_tls_session *s, struct its_diag *diag)
{
    ERR_clear_error();
    int result = SSL_do_handshake(s->ssl);
    if (result == 1)
        return 0;
    int rc = outcome(s, result, diag);
    return rc == ITS_EEOF ? itsi_fail(diag, ITS_EIO, "TLS: the server ended the handshake") : rc;
}

int itsi_tls_read(struct itsi_tls_session *s, char *out, size_t size, struct its_diag *diag)
{
    ERR_clear_error();
    int got = SSL_read(s->ssl, out, size > INT_MAX ? INT_MAX : (int)size);
    if (got > 0)
        return got;
    int rc = outcome(s, got, diag);
    return rc == ITS_EAGAIN ? 0 : rc;
}

int itsi_tls_write(struct itsi_tls_session *s, const char *data, size_t len, struct its_diag *diag)
{
    ERR_clear_error();
    size_t done = 0;
    /* a memory BIO takes all there is */
    if (len && (SSL_write_ex(s->ssl, data, len, &done) != 1 || done != len))
        return itsi_fail(diag, ITS_EIO, "TLS: %s", last_error());
    return 0;
}

void itsi_tls_take(struct itsi_tls_session *s, struct itsi_buf *out)
{
    char *data;
    long len = BIO_get_mem_data(s->out, &data);
    if (len <= 0)
        return;
    itsi_buf_add(out, data, (size_t)len);
    (void)BIO_reset(s->out);
}
