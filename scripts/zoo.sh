#!/bin/sh
# zoo.sh DIR: certificates good and bad, with openssl, for the tests. Writes into DIR: root.pem, the
# authority to trust, and for each NAME below NAME.key, NAME.pem, and NAME.chain where a server is
# to send more than its own certificate.
set -eu
dir=${1:?usage: zoo.sh DIR}
mkdir -p "$dir"
cd "$dir"
umask 077
exec 3>&2 2>zoo.log
trap '[ $? = 0 ] || cat zoo.log >&3' EXIT

key() { # NAME KIND
    case $2 in
    rsa*) openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#rsa}" -out "$1.key" ;;
    p*) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:P-${2#p}" -out "$1.key" ;;
    ed25519) openssl genpkey -algorithm ED25519 -out "$1.key" ;;
    esac
}

# when YEARS: that far from now, as `openssl ca` takes it.
when() {
    date -u -d "$1 years" +%Y%m%d%H%M%SZ
}

# sign NAME ISSUER DIGEST FROM TO EXTENSION...: with an authority of the zoo.
sign() {
    name=$1 issuer=$2 digest=$3 from=$4 to=$5
    shift 5
    printf '%s\n' '[ext]' "$@" '[ca]' default_ca=z '[z]' database=index new_certs_dir=. \
        rand_serial=yes policy=p unique_subject=no email_in_dn=no '[p]' commonName=supplied >conf
    : >index
    openssl req -new -key "$name.key" -subj "/CN=$name" -out csr
    openssl ca -batch -notext -config conf -extensions ext -md "$digest" -in csr \
        -cert "$issuer.pem" -keyfile "$issuer.key" -startdate "$from" -enddate "$to" \
        -out "$name.pem"
}

CA=basicConstraints=critical,CA:TRUE
root() { # NAME [EXTENSION...]
    key "$1" p256
    printf '%s\n' '[req]' distinguished_name=dn '[dn]' '[ext]' >conf
    [ $# -gt 1 ] || set -- "$1" "$CA"
    name=$1
    shift
    printf '%s\n' "$@" >>conf
    openssl req -x509 -new -sha256 -days 36500 -key "$name.key" -subj "/CN=$name" \
        -out "$name.pem" -config conf -extensions ext
}

SELF=subjectAltName=DNS:zoo.test
past=$(when -2) yesterday=$(date -u -d yesterday +%Y%m%d%H%M%SZ)
ago=$(when -1) soon=$(when 1) later=$(when 3) far=$(when 20)

# leaf NAME KIND [ISSUER [DIGEST [FROM [TO [NAMES]]]]]
leaf() {
    key "$1" "$2"
    sign "$1" "${3:-root}" "${4:-sha256}" "${5:-$yesterday}" "${6:-$soon}" "${7:-$SELF}"
}

root root
root stranger
leaf rsa2048 rsa2048
leaf rsa4096 rsa4096
leaf p256 p256
leaf p384 p384 root sha384
leaf ed25519 ed25519
leaf wildcard p256 root sha256 "$yesterday" "$soon" 'subjectAltName=DNS:*.zoo.test'
leaf wrong-name p256 root sha256 "$yesterday" "$soon" subjectAltName=DNS:elsewhere.test
leaf expired p256 root sha256 "$past" "$ago"
leaf early p256 root sha256 "$soon" "$later"
leaf unknown-root p256 stranger
leaf lasting p256 root sha256 "$yesterday" "$far"
leaf rsa1024 rsa1024
leaf sha1 p256 root sha1
leaf md5 rsa2048 # signed again below
key self p256
openssl req -x509 -new -sha256 -days 365 -key self.key -subj /CN=self -addext "$SELF" -out self.pem

key rsaroot rsa2048
openssl req -x509 -new -sha256 -days 36500 -key rsaroot.key -subj /CN=rsaroot -out rsaroot.pem \
    -addext "$CA"
sign md5 rsaroot md5 "$yesterday" "$soon" "$SELF"

key middle p256
sign middle root sha256 "$ago" "$far" "$CA"
leaf through p384 middle
cp middle.pem through.chain
leaf missing p256 middle
# An intermediate from after the floor and before its leaf.
key young p256
sign young root sha256 "$(when 0)" "$far" "$CA"
leaf young-chain p256 young sha256 "$(when 0)"
cp young.pem young-chain.chain

leaf not-ca p256
leaf leaf-as-ca p256 not-ca
cp not-ca.pem leaf-as-ca.chain
key short p256
sign short root sha256 "$ago" "$far" "basicConstraints=critical,CA:TRUE,pathlen:0"
key below p256
sign below short sha256 "$ago" "$far" "$CA"
leaf path-length p256 below
cat below.pem short.pem >path-length.chain

# ---- what certificates say of themselves ----

# leaf_with NAME ISSUER EXTENSION...
leaf_with() {
    key "$1" p256
    name=$1 issuer=$2
    shift 2
    sign "$name" "$issuer" sha256 "$yesterday" "$soon" "$@"
}
# through_with NAME EXTENSION...: an authority that says this, and a leaf below it.
through_with() {
    key "$1-ca" "${KIND:-p256}"
    low=$1
    shift
    sign "$low-ca" root sha256 "$ago" "$far" "$@"
    leaf "$low" p256 "$low-ca"
    cp "$low-ca.pem" "$low.chain"
}
# below_root NAME EXTENSION...: the same with one that is to be trusted.
below_root() {
    low=$1
    shift
    root "$low-root" "$@"
    leaf "$low" p256 "$low-root"
    cat "$low-root.pem" >>odd-roots.pem
}

: >odd-roots.pem
ELSEWHERE='permitted;DNS:elsewhere.test'
below_root root-elsewhere "$CA" "nameConstraints=$ELSEWHERE"
below_root root-here "$CA" 'nameConstraints=critical,permitted;DNS:zoo.test'
below_root root-no-signer "$CA" keyUsage=critical,cRLSign
below_root root-signer "$CA" keyUsage=critical,keyCertSign
below_root root-purpose "$CA" extendedKeyUsage=codeSigning
root root-short-root "$CA,pathlen:0"
cat root-short-root.pem >>odd-roots.pem
leaf root-short p256 root-short-root
key root-short-ca p256
sign root-short-ca root-short-root sha256 "$ago" "$far" "$CA"
leaf root-path-length p256 root-short-ca
cp root-short-ca.pem root-path-length.chain

through_with soft-elsewhere "$CA" "nameConstraints=$ELSEWHERE"
through_with critical-elsewhere "$CA" "nameConstraints=critical,$ELSEWHERE"
through_with critical-here "$CA" \
    'nameConstraints=critical,permitted;DNS:zoo.test,excluded;DNS:b.zoo.test'
through_with excluded "$CA" 'nameConstraints=excluded;DNS:test'
through_with other-names "$CA" 'nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0'
through_with no-signer "$CA" keyUsage=critical,cRLSign
through_with mail "$CA" extendedKeyUsage=emailProtection
through_with web "$CA" extendedKeyUsage=critical,serverAuth,clientAuth
KIND=p521 through_with p521 "$CA"
leaf p521-leaf p521

leaf_with client-only root "$SELF" extendedKeyUsage=clientAuth
leaf_with server-only root "$SELF" extendedKeyUsage=critical,serverAuth
leaf_with any-purpose root "$SELF" extendedKeyUsage=anyExtendedKeyUsage
leaf_with critical-unknown root "$SELF" 1.2.3.4=critical,DER:05:00
leaf_with agreement root "$SELF" keyUsage=critical,keyAgreement
leaf_with repudiation root "$SELF" keyUsage=nonRepudiation
leaf_with signature root "$SELF" keyUsage=critical,digitalSignature
key zoo.test p256
sign zoo.test root sha256 "$yesterday" "$soon" keyUsage=digitalSignature
leaf_with address root 'subjectAltName=IP:127.0.0.1,IP:::1,DNS:zoo.test'
leaf_with address-as-name root 'subjectAltName=DNS:127.0.0.1,DNS:*.0.0.1'

cat root.pem rsaroot.pem odd-roots.pem >roots.pem
rm -f conf index index.* csr ./*.old [0-9A-F]*.pem
