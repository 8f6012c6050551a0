"""Workloads outside the table: what people write, to look for what the table misses.

Layers, sums, transposes and products of awkward shapes; `run.py --further` times them.
"""

from __future__ import annotations

from collections.abc import Iterator

from workloads import Workload, sized

# Classes, and in each line a spec, the sizes of its indices, and a dtype if no float32.
SPECS = {
    "one operand": """
        nchw->nc  n=8 c=64 h=16 w=16
        nchw->c  n=8 c=64 h=16 w=16
        ijk->kji  i=64 j=80 k=96
        ij->ji  i=700 j=900
        ijk->jik  i=64 j=80 k=96
        ij->  i=1000 j=500
        ij->i  i=1000 j=500
        ij->j  i=1000 j=500
        ii->i  i=500
        ii->  i=500
        iij->j  i=60 j=100
        bii->b  b=100 i=50
        bii->bi  b=100 i=50
        bchw->c  b=16 c=32 h=20 w=20
        bchw->bhw  b=8 c=32 h=20 w=20
        bchw->b  b=32 c=16 h=20 w=20
        btc->bc  b=16 t=128 c=64
        btc->bt  b=16 t=128 c=64
        ijk->ikj  i=100 j=60 k=70
        ijkl->klij  i=20 j=30 k=25 l=35
        ijkl->jilk  i=20 j=30 k=25 l=35
        ij->ji  i=3000 j=30
        ij->ji  i=1024 j=1024
    """,
    "entry by entry": """
        nchw,c->nchw  n=8 c=64 h=16 w=16
        bi,bj->bij  b=64 i=64 j=64
        ij,kl->ikjl  i=32 j=32 k=32 l=32
        ij,kl->ijkl  i=32 j=32 k=32 l=32
        bld,dn->bldn  b=4 l=64 d=64 n=16
        ij,j->ij  i=700 j=700
        bij,bij->bij  b=16 i=128 j=128
        ij,ij->ij  i=500 j=500
        i,i->i  i=100000
        bchw,c->bchw  b=4 c=16 h=40 w=40
        n,nd->nd  n=2000 d=50
        nc,nd->ncd  n=1000 c=10 d=20
        abij,ij->abij  a=10 b=10 i=30 j=30
        abij,ab->abij  a=10 b=10 i=30 j=30
        abij,ai->abij  a=10 b=10 i=30 j=30
        abij,bj->abij  a=10 b=10 i=30 j=30
        ab,ij->aibj  a=30 b=30 i=20 j=20
        ij,kl->ikjl  i=16 j=24 k=20 l=28
        ik,jk->ijk  i=100 k=20 j=100
    """,
    "contraction": """
        btd,dhk->bthk  b=4 t=64 d=256 h=8 k=32
        bthk,hkd->btd  b=4 t=64 h=8 k=32 d=256
        bchw,oc->bohw  b=8 c=64 h=16 w=16 o=64
        bhwc,co->bhwo  b=8 h=16 w=16 c=64 o=64
        bi,bj->ij  b=512 i=64 j=64
        abcd,cdef->abef  a=16 b=16 c=16 d=16 e=16 f=16
        abcd,befd->acef  a=12 b=12 c=12 d=12 e=12 f=12
        ij,ij->  i=700 j=700
        ijk,k->ij  i=100 j=100 k=50
        ijk,j->ik  i=100 j=100 k=50
        ijk,i->jk  i=100 j=100 k=50
        nd,md->nm  n=300 d=64 m=500
        bse,eh->bsh  b=8 s=64 e=128 h=512
        i,i->  i=100000
        bij,j->bi  b=64 i=64 j=64
        xyc,kc->xyk  x=100 y=100 c=3 k=16
        nxyc,xyco->no  n=32 x=8 y=8 c=16 o=64
        ij,jk->ik  i=64 j=64 k=64
        ij,jk->ik  i=2000 j=16 k=16
        ij,jk->ik  i=16 j=4000 k=16
        ij,ik->jk  i=1000 j=50 k=60
        ijab,abk->ijk  i=30 j=30 a=20 b=20 k=50
        btc,c->bt  b=16 t=128 c=64
        bthc,hcm->btm  b=2 t=96 h=6 c=40 m=240
        btm,mhc->bthc  b=2 t=96 m=240 h=6 c=40
        abc,abd->cd  a=20 b=30 c=40 d=50
        abc,dbc->ad  a=40 b=30 c=20 d=50
        abc,adc->bd  a=20 b=50 c=20 d=60
        abc,dab->cd  a=20 b=30 c=40 d=50
        abcd,bd->ac  a=30 b=20 c=30 d=20
        abcd,ac->bd  a=30 b=20 c=30 d=20
        abcd,db->ca  a=30 b=20 c=30 d=20
        iajb,aibj->  i=20 a=30 j=20 b=30
        klcd,cdij->klij  k=12 l=12 c=20 d=20 i=12 j=12
        kc,ikac->ia  k=20 c=40 i=20 a=40
        mnef,eafi->nami  m=10 n=10 e=16 f=16 a=16 i=10
        n,nd->d  n=2000 d=50
        nd,d->n  n=2000 d=50
        nd,nd->  n=5000 d=20
        nc,nd->cd  n=5000 c=10 d=20
        ijk,jil->kl  i=30 j=30 k=40 l=40
        bhwc,xyc->bhwxy  b=2 h=14 w=14 c=32 x=5 y=5
        bxyijc,ijco->bxyo  b=4 x=12 y=12 i=3 j=3 c=16 o=32
        ij,jk->ik  i=512 j=10 k=512
        ij,jk->ik  i=1 j=1000 k=1000
        ij,jk->ik  i=1000 j=1000 k=1
        ij,jk->ik  i=5 j=500 k=500
        ij,ik->jk  i=100000 j=3 k=3
        ij,kj->ik  i=100 j=2 k=100
    """,
    "stack": """
        bhqd,bhkd->bhqk  b=4 h=8 q=128 d=64 k=128
        bhqk,bhkd->bhqd  b=4 h=8 q=128 k=128 d=64
        nchw,nchw->c  n=8 c=64 h=16 w=16
        bldn,bln->bld  b=4 l=64 d=64 n=16
        bhnd,bhne->bhde  b=4 h=8 n=128 d=32 e=32
        bhnd,bhde->bhne  b=4 h=8 n=128 d=32 e=32
        btgnh,bsgh->bgnts  b=2 t=64 g=4 n=4 h=32 s=64
        ij,ij->i  i=700 j=700
        ij,ij->j  i=700 j=700
        nkd,nkd->nk  n=200 k=50 d=32
        bij,bj->bi  b=64 i=64 j=64
        bij,bi->bj  b=64 i=64 j=64
        tij,tjk->tik  t=1000 i=16 j=16 k=16
        tij,tjk->tik  t=2000 i=4 j=4 k=4
        tij,tj->ti  t=5000 i=4 j=4
        tij,tj->ti  t=10000 i=3 j=3
        ij,ji->i  i=300 j=400
        bchw,bchw->bc  b=16 c=32 h=20 w=20
        btc,bt->bc  b=16 t=128 c=64
        btc,btd->bcd  b=16 t=128 c=32 d=48
        bthc,bshc->bhts  b=2 t=96 h=6 c=40 s=96
        bhts,bshc->bthc  b=2 h=6 t=96 s=96 c=40
        nd,nd->n  n=5000 d=20
        nc,ncd->nd  n=1000 c=10 d=20
        nki,nkj->nij  n=100 k=50 i=20 j=20
        nik,njk->nij  n=100 i=20 k=50 j=20
        aij,aik->ajk  a=64 i=100 j=16 k=16
        bxyijc,ijc->bxyc  b=4 x=12 y=12 i=3 j=3 c=32
    """,
    "many": """
        bi,oij,bj->bo  b=64 i=48 o=32 j=48
        i,j,k->ijk  i=64 j=64 k=64
        pqrs,pi,qj,rk,sl->ijkl  p=16 q=16 r=16 s=16 i=16 j=16 k=16 l=16
        bij,bjk,bkl->bil  b=16 i=48 j=48 k=48 l=48
        i,ij,j->  i=700 j=700
        ai,bi,ci->abc  a=50 i=16 b=60 c=70
        abc,ai,bj,ck->ijk  a=40 b=40 c=40 i=30 j=30 k=30
        ij,i,j->ij  i=700 j=700
        ij,jk,k->i  i=300 j=300 k=300
        ij,jk,kl,lm->im  i=100 j=300 k=50 l=300 m=100
        bnm,bmc,oc->bno  b=8 n=64 m=64 c=32 o=32
        ea,fb,abc,ec,fc->ef  e=20 a=10 f=24 b=12 c=14
        abi,ibc,icd->ad  a=20 b=30 i=40 c=30 d=20
        ik,jk,lk,k->ijl  i=40 k=20 j=40 l=40
        btc,cd,btd->bt  b=8 t=64 c=32 d=48
        bqc,bvc,bvd->bqd  b=8 q=64 c=32 v=64 d=32
        nlhd,nshd,nshe->nlhe  n=2 l=64 h=4 d=24 s=64 e=24
        xy,yz,zx->  x=100 y=120 z=140
        ij,jk,ki->i  i=100 j=110 k=120
        i,j,ij->  i=500 j=600
        i,ij,jk,k->  i=300 j=300 k=300
        ij,j,jk->ik  i=200 j=200 k=200
        ji,j,jk->ik  j=1000 i=200 k=50
        ijkl,jm,ln->imkn  i=20 j=24 k=20 l=24 m=10 n=10
        aijk,bjl,clk->abci  a=8 i=12 j=14 k=16 b=8 l=10 c=8
        nc,cd,nd->n  n=2000 c=20 d=30
        nd,de,ne->n  n=500 d=100 e=100
        nij,njk,nkl->nil  n=200 i=8 j=8 k=8 l=8
        ti,tij,tj->t  t=1000 i=10 j=10
        ir,jr,kr,ijk->  i=40 r=10 j=40 k=40
        ir,jr,kr->ijk  i=60 r=20 j=50 k=40
        ir,js,kt,rst->ijk  i=40 r=8 j=40 s=8 k=40 t=8
        aib,bjc,ckd->aijkd  a=5 i=20 b=10 j=20 c=10 k=20 d=5
        i,i,i->  i=50000
        i,i,i,i->i  i=20000
        ij,ij,ij->ij  i=300 j=300
        ij,ij,ij->i  i=300 j=300
    """,
    "small matrices": """
        nij,nj->ni  n=20000 i=3 j=3
        nij,nj->ni  n=1000 i=3 j=3
        nij,njk->nik  n=20000 i=3 j=3 k=3
        nij,njk->nik  n=200 i=2 j=2 k=2
        nij,nkj->nik  n=2000 i=4 j=4 k=4
        ni,nj->nij  n=20000 i=3 j=3
        ni,ni->n  n=20000 i=3
        n,ni->ni  n=20000 i=3
        ni,nij,nj->n  n=20000 i=3 j=3
        nij,njk,nkl->nil  n=5000 i=3 j=3 k=3 l=3
        bnij,bnj->bni  b=8 n=2000 i=3 j=3
        hwi,ij->hwj  h=200 w=200 i=3 j=3
        hwi,hwi->hw  h=200 w=200 i=3
        nki,nk->ni  n=5000 k=9 i=3
        nai,nbi->nab  n=5000 a=4 b=4 i=3
        nij,nj->ni  n=20000 i=3 j=3  float64
        ijr,jr->ir  i=512 j=512 r=3
        nki,nki->ni  n=5000 k=27 i=3
    """,
    "physics": """
        aqb,xq->axb  a=64 q=2 x=2 b=512
        aq,xq->ax  a=32768 q=2 x=2
        aqbrc,xyqr->axbyc  a=16 q=2 b=16 r=2 c=64 x=2 y=2
        aqbrc,xyqr->axbyc  a=16 q=2 b=16 r=2 c=64 x=2 y=2  complex64
        pqrs,pi,qj,rk,sl->ijkl  p=16 q=16 r=16 s=16 i=14 j=14 k=14 l=14
        abef,ijef->abij  a=16 b=16 e=16 f=16 i=10 j=10
        iajb,jbkc->iakc  i=10 a=16 j=10 b=16 k=10 c=16
        mnij,manb->iajb  m=8 n=8 i=8 j=8 a=16 b=16
        pqrs,rs->pq  p=30 q=30 r=30 s=30
        pqrs,qs->pr  p=30 q=30 r=30 s=30
        Pij,Pkl->ijkl  P=100 i=16 j=16 k=16 l=16
        Pia,Pjb->iajb  P=100 i=10 j=10 a=20 b=20
        bqghd,bkgd->bghqk  b=2 q=64 g=4 h=4 d=32 k=64
        bghqk,bkgd->bqghd  b=2 q=64 g=4 h=4 d=32 k=64
        blhd,bmhd->bhlm  b=8 l=50 m=50 h=12 d=64
        bhwc,hwcd->bhwd  b=32 h=6 w=6 c=16 d=16
        bsd,de,bse->b  b=16 s=64 d=64 e=64
        bi,bj,ijk->bk  b=64 i=24 j=24 k=24
        uvw,buk,bvk->bwk  b=100 u=8 v=8 w=8 k=16
        zij,zj,ij->zi  z=500 i=16 j=16
        ijk,ilm,jln,kmn->  i=12 j=12 k=12 l=12 m=12 n=12
        ab,bcd,def,fgh,hi->acegi  a=8 b=12 c=4 d=12 e=4 f=12 g=4 h=12 i=8
        ac,bc,ab->c  a=100 b=120 c=50
        tbi,ij->tbj  t=35 b=20 i=200 j=200
        bhij,bhjd,bhkd->bhik  b=2 h=4 i=50 j=50 k=50 d=32
        xyz,xa,yb,zc->abc  x=40 y=40 z=40 a=10 b=10 c=10
    """,
    "dtype": """
        ij,jk->ik  i=200 j=300 k=400  float64
        bij,bjk->bik  b=32 i=64 j=64 k=64  float64
        ijk,ijk->ijk  i=50 j=60 k=70  complex64
        bij,bjk->bik  b=20 i=32 j=32 k=32  complex64
    """,
}


def further_workloads() -> Iterator[Workload]:
    """Yield the workloads, named by their specs, sizes and other dtypes."""
    for kind, lines in SPECS.items():
        for line in lines.strip().splitlines():
            spec, *sizes = line.split()
            dtypes = [] if "=" in sizes[-1] else [sizes.pop()]
            counts = ",".join(pair.split("=")[1] for pair in sizes)
            name = " ".join([spec, counts, *dtypes])
            yield sized(name, kind, spec, " ".join(sizes), *dtypes)
