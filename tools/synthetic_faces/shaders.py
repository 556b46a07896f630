"""GLSL programs. Every fragment writes a colour and four labels: eye, mouth, brow, visible face.

The crop's rows run downwards in the framebuffer (the projection flips y), so nothing is flipped after reading.
"""

VERTEX = """#version 330
in vec3 position; in vec3 normal; in vec2 uv; in float occlusion; in float kind;
uniform mat4 view; uniform mat4 light_view;
out vec3 wp; out vec3 wn; out vec2 tx; out float ao; out vec4 lp; flat out float material;
void main(){ wp=position; wn=normal; tx=uv; ao=occlusion; material=kind; lp=light_view*vec4(position+normal*0.015,1);
  gl_Position=view*vec4(position,1); }"""

_COMMON = """#version 330
in vec3 wp; in vec3 wn; in vec2 tx; in float ao; in vec4 lp; flat in float material;
layout(location=0) out vec4 colour; layout(location=1) out vec4 label;
uniform vec3 camera; uniform vec3 ld[3]; uniform vec3 lc[3]; uniform vec3 above, below; uniform float exposure;
uniform sampler2DShadow shadow_map; uniform float shadow_step;
vec3 tone(vec3 x){ x=mix(vec3(dot(x,vec3(0.3,0.6,0.1))),x,0.86)*exposure;
    x=(x*(2.51*x+0.03))/(x*(2.43*x+0.59)+0.14); return sqrt(clamp(x,0,1))*0.92+clamp(x,0,1)*0.08; }
vec3 linear(vec3 c){ return c*c*(0.72+0.28*c); }
float shadow(){ vec3 q=lp.xyz*0.5+0.5; q.z-=0.0035; float e=shadow_step;
  return 0.25*(texture(shadow_map,q+vec3(e,e*.4,0))+texture(shadow_map,q+vec3(-e*.4,e,0))
    +texture(shadow_map,q+vec3(-e,-e*.4,0))+texture(shadow_map,q+vec3(e*.4,-e,0))); }
vec3 ambient(vec3 n){ return mix(below,above,n.y*0.5+0.5); }
float gloss(vec3 n,vec3 l,vec3 v,float r,float f0){ vec3 h=normalize(l+v);
    float nl=max(dot(n,l),0.0),nv=max(dot(n,v),0.05);
  float nh=max(dot(n,h),0.0),a=r*r,d=nh*nh*(a*a-1.0)+1.0,k=a*0.5; float f=f0+(1.0-f0)*pow(1.0-max(dot(v,h),0.0),5.0);
  return a*a/(3.1416*d*d)*f*0.25*nl/((nl*(1.0-k)+k)*(nv*(1.0-k)+k)); }
vec3 bump(vec3 n,float h){ vec3 dx=dFdx(wp),dy=dFdy(wp); float hx=dFdx(h),hy=dFdy(h);
    vec3 a=cross(dy,n),b=cross(n,dx);
  float det=dot(dx,a); vec3 g=sign(det)*(hx*a+hy*b); return normalize(abs(det)*n-g); }
float hash(vec2 p){ return fract(sin(dot(p,vec2(12.9898,78.233)))*43758.5453); }
"""

SKIN = (
    _COMMON
    + """
uniform sampler2D albedo; uniform sampler2D labels; uniform float shine; uniform float light_skin;
void main(){
  vec3 N=normalize(wn), V=normalize(camera-wp); float sh=shadow();
  vec4 t=texture(albedo,tx), m=texture(labels,tx);
  vec3 c=linear(t.rgb); vec3 B=bump(N,(t.a-0.5)*0.013);
  vec3 R=normalize(mix(B,N,0.8)), G=normalize(mix(B,N,0.4));
  // Light that enters the skin leaves it redder and further on: wrapped lighting per channel.
  vec3 wrap=mix(vec3(0.14,0.11,0.09),vec3(0.32,0.17,0.11),light_skin);
    vec3 soft=vec3(sh+0.2*light_skin*sh*(1.0-sh),sh,sh);
  vec3 dim=vec3(mix(ao,sqrt(ao),0.15*light_skin),ao,ao);
  vec3 d=ambient(R)*dim; vec3 s=vec3(0); float lip=m.g;
  for(int i=0;i<3;i++){ vec3 L=ld[i]; vec3 k=clamp((vec3(dot(R,L),dot(G,L),dot(B,L))+wrap)/(1.0+wrap),0.0,1.0);
    d+=lc[i]*k*(0.5+0.5*k)*(i==0?soft:vec3(0.35+0.65*ao)); }
  float rough=mix(0.56,0.40,shine); rough=mix(rough,0.33,lip);
  s=lc[0]*sh*(0.8*gloss(B,ld[0],V,rough,0.035)+0.25*shine*gloss(B,ld[0],V,0.3,0.03))
   +lc[1]*ao*0.7*gloss(B,ld[1],V,rough,0.035)+lc[2]*ao*gloss(B,ld[2],V,0.5,0.03);
  float rim=1.0-max(dot(B,V),0.0); rim=0.022+0.35*rim*rim*rim*rim;
  colour=vec4(tone(c*d+s+ambient(reflect(-V,B))*rim*ao*0.6),1); label=m;
}"""
)

# Inside the mouth, behind the lids, and the shirt. Apart from the skin, since Mesa runs both sides of every branch.
LINING = (
    _COMMON
    + """
uniform vec3 shirt;
void main(){
  vec3 N=normalize(wn), V=normalize(camera-wp); float sh=shadow();
  if(material>2.5){ vec3 c=shirt*(0.9+0.1*sin(wp.x*260.0)*sin(wp.y*260.0)); vec3 d=ambient(N)*ao;
    for(int i=0;i<3;i++) d+=lc[i]*max(dot(N,ld[i]),0.0)*(i==0?sh:ao); colour=vec4(tone(c*d),1); label=vec4(0);
    return; }
  bool mouth=material<1.5; vec3 c=mouth?vec3(0.30,0.075,0.07):vec3(0.25,0.10,0.08); vec3 d=ambient(N)*0.35;
  for(int i=0;i<3;i++) d+=lc[i]*max(dot(N,ld[i]),0.0)*(i==0?sh:0.2);
  float deep=mouth?mix(0.3,1.0,ao):ao; colour=vec4(tone(c*d*deep+lc[0]*sh*deep*gloss(N,ld[0],V,0.35,0.03)*0.4),1);
  label=mouth?vec4(0,1,0,1):vec4(1,0,0,1);
}"""
)

EYE = (
    _COMMON
    + """
uniform vec3 centre, gaze, gaze_up; uniform vec3 iris; uniform float pupil; uniform float iris_seed;
void main(){
  vec3 D=normalize(wp-centre), V=normalize(camera-wp); float c=dot(D,gaze); float angle=acos(clamp(c,-1.0,1.0));
    float r=angle/0.50;
  vec3 X=normalize(cross(gaze_up,gaze)), Y=cross(gaze,X); vec2 q=vec2(dot(D,X),dot(D,Y)); float a=atan(q.y,q.x);
  float fibre=0.5+0.22*sin(a*23.0+iris_seed+4.0*sin(a*3.0+iris_seed))
    +0.16*sin(a*41.0+iris_seed*2.0+r*5.0)+0.12*sin(a*67.0);
  vec3 white=vec3(0.47,0.43,0.41)*(1.0-vec3(0.05,0.30,0.34)*smoothstep(1.1,2.3,r));
  vec3 col=iris*(0.55+0.75*fibre)*mix(1.3,0.75,smoothstep(pupil,0.8,r)); col*=1.0-0.75*smoothstep(0.80,1.0,r);
  col=mix(vec3(0.004),col,smoothstep(pupil-0.05,pupil+0.05,r)); vec3 al=mix(col,white,smoothstep(0.94,1.07,r));
  float sh=shadow(); vec3 d=ambient(D)*ao;
  for(int i=0;i<3;i++) d+=lc[i]*max((dot(D,ld[i])+0.25)/1.25,0.0)*(i==0?mix(0.1,1.0,sh)*mix(0.5,1.0,ao):ao);
  vec3 N=normalize(D+(D-gaze*c)*0.9*(1.0-smoothstep(0.9,1.25,r)));
  vec3 s=vec3(0); for(int i=0;i<2;i++) s+=lc[i]*(i==0?mix(0.15,1.0,sh):ao)*gloss(N,ld[i],V,0.13,0.03)*0.22;
  float f=0.02+0.3*pow(1.0-max(dot(N,V),0.0),5.0); s+=ambient(reflect(-V,N))*f*ao*0.8;
  colour=vec4(tone(al*d+s),1); label=vec4(1,0,0,1);
}"""
)

HAND = (
    _COMMON
    + """
uniform vec3 tint;
void main(){
  vec3 N=normalize(wn), V=normalize(camera-wp); float sh=shadow(); vec3 d=ambient(N)*0.9;
  for(int i=0;i<3;i++) d+=lc[i]*clamp((dot(N,ld[i])+vec3(0.3,0.16,0.1))/1.2,0.0,1.0)*(i==0?sh:0.8);
  colour=vec4(tone(tint*d+lc[0]*sh*gloss(N,ld[0],V,0.5,0.035)),1); label=vec4(0);
}"""
)

MOUTH = (
    _COMMON
    + """
uniform sampler2D teeth; uniform vec3 enamel; uniform float tongue;
void main(){
  vec3 N=normalize(wn), V=normalize(camera-wp); if(dot(N,V)<0.0) N=-N; vec3 c; float wet;
  if(tongue>0.5){ c=vec3(0.42,0.12,0.11)*(0.92+0.08*hash(floor(wp.xz*90.0))); wet=0.5; }
  else { vec3 t=texture(teeth,tx).rgb; c=mix(enamel*t.r,vec3(0.50,0.16,0.15),t.g); N=bump(N,t.b*0.012); wet=1.0; }
  float sh=shadow(); vec3 d=ambient(N)*0.9;
    for(int i=0;i<3;i++) d+=lc[i]*max((dot(N,ld[i])+0.3)/1.3,0.0)*(i==0?mix(0.12,1.0,sh):0.6);
  vec3 s=lc[0]*sh*gloss(N,ld[0],V,0.28,0.04)*wet; colour=vec4(tone((c*d*0.85+s*0.5)*ao),1); label=vec4(0,1,0,1);
}"""
)

HAIR = (
    _COMMON
    + """
uniform sampler2D strands; uniform vec3 tint; uniform float face; uniform float density;
void main(){
  vec2 t=texture(strands,tx).rg; if(t.g*density<0.36+0.22*hash(gl_FragCoord.xy)) discard;
  vec3 N=normalize(wn), V=normalize(camera-wp); if(dot(N,V)<0.0) N=-N;
  vec3 dx=dFdx(wp),dy=dFdy(wp); vec2 ux=dFdx(tx),uy=dFdy(tx); vec3 T=dy*ux.x-dx*uy.x; float n=length(T);
    T=n>1e-9?T/n:vec3(0,1,0);
  vec3 c=tint*(0.25+1.9*t.r*t.r); float root=mix(0.55,1.0,smoothstep(0.0,0.3,tx.y)); float sh=shadow();
  vec3 d=ambient(N)*ao*root, s=vec3(0);
  for(int i=0;i<3;i++){ float w=(i==0?mix(0.12,1.0,sh):ao)*root; float tl=dot(T,ld[i]);
    d+=lc[i]*w*mix(sqrt(max(0.0,1.0-tl*tl)),max(dot(N,ld[i])*0.75+0.25,0.0),0.65)*0.9;
    float th=dot(normalize(T+N*0.15),normalize(ld[i]+V)); float sn=sqrt(max(0.0,1.0-th*th));
    s+=lc[i]*w*(pow(sn,70.0)*0.05*(0.3+t.r)+pow(sn,14.0)*0.12*c)*step(-0.3,dot(N,ld[i])); }
  colour=vec4(tone(c*d+s),1); label=vec4(0,0,0,face);
}"""
)

FRAME = (
    _COMMON
    + """
uniform vec3 tint; uniform float metal;
void main(){
  vec3 N=normalize(wn), V=normalize(camera-wp); float sh=shadow(); vec3 d=ambient(N), s=vec3(0);
  for(int i=0;i<3;i++){ float w=i==0?sh:0.8; d+=lc[i]*max(dot(N,ld[i]),0.0)*w;
    s+=lc[i]*w*gloss(N,ld[i],V,0.25,mix(0.05,0.5,metal)); }
  colour=vec4(tone(tint*d+s+ambient(reflect(-V,N))*mix(0.04,0.35,metal)),1); label=vec4(0);
}"""
)

LENS = (
    _COMMON
    + """
uniform float dark; uniform float mirror; uniform vec3 tint;
void main(){
  vec3 N=normalize(wn), V=normalize(camera-wp); vec3 R=reflect(-V,N); float f=0.04+0.5*pow(1.0-max(dot(N,V),0.0),5.0);
  // A lit window stands where the fill light is.
  vec3 L=ld[1]; vec3 X=normalize(cross(vec3(0,1,0),L)), Y=cross(L,X);
    vec2 q=vec2(dot(R,X),dot(R,Y))/max(dot(R,L),0.05);
  float pane=step(0.0,dot(R,L))*smoothstep(0.42,0.36,abs(q.x))*smoothstep(0.55,0.48,abs(q.y))
    *smoothstep(0.015,0.03,abs(q.x));
  vec3 c=ambient(R)*f*1.5+(above*1.5+lc[1])*pane*mirror+lc[0]*gloss(N,ld[0],V,0.08,0.04)*0.6;
  float bright=pane*mirror*min(0.6,dot(above+lc[1],vec3(0.33))); float a=clamp(dark+f*0.6+bright,0.0,0.97);
  colour=vec4(tone(tint*dark*0.1+c),a); label=vec4(0,0,0,max(dark,bright));
}"""
)

LASH = (
    _COMMON
    + """
uniform float strength;
void main(){ float s=sin(tx.x*3277.0)+0.6*sin(tx.x*1577.0); float a=(s>0.15?0.75:0.15)*strength*material;
  vec3 d=ambient(vec3(0,0,1)); colour=vec4(tone(vec3(0.012,0.009,0.008)*(d+0.3)),a); label=vec4(0); }"""
)

SHADOW_VERTEX = """#version 330
in vec3 position; uniform mat4 light_view;
void main(){ gl_Position=light_view*vec4(position,1); }"""
SHADOW = """#version 330
void main(){}"""

BACKGROUND_VERTEX = """#version 330
in vec2 corner; uniform mat3 to_picture; out vec2 tx;
void main(){ tx=(to_picture*vec3(corner,1)).xy; gl_Position=vec4(corner,0.99999,1); }"""
BACKGROUND = """#version 330
in vec2 tx; uniform sampler2D picture; layout(location=0) out vec4 colour; layout(location=1) out vec4 label;
void main(){ colour=vec4(texture(picture,tx).rgb,1); label=vec4(0); }"""

FRAGMENTS = {
    "skin": SKIN, "lining": LINING, "eye": EYE, "mouth": MOUTH, "hair": HAIR, "hand": HAND, "frame": FRAME,
    "lens": LENS, "lash": LASH,
}  # fmt: skip
"""Fragment programs that go with `VERTEX`, by name."""
