#!/bin/sh
# zoo.sh DIR: certificates good and bad, with openssl, for the tests. Writes into DIR: root.pem, the
# authority to trust, and for each NAME below NAME.key, NAME.pem, and NAME.chain where a server is to
# send more than its own certificate.
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
        -cert "$issuer.pem" -keyfile "$issuer.key" -startdate "$from" -enddate "$to" -out "$name.pem"
}

root() { # NAME
    key "$1" p256
    openssl req -x509 -new -sha256 -days 36500 -key "$1.key" -subj "/CN=$1" -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE
}

CA=basicConstraints=critical,CA:TRUE
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

cat root.pem rsaroot.pem >roots.pem
rm -f conf index index.* csr ./*.old [0-9A-F]*.pem
